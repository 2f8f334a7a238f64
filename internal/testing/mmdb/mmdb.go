// Package mmdb writes small MaxMind databases for tests.
package mmdb

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"maps"
	"net/netip"
	"slices"
)

// Map is a record, or a map in one. Values are strings, booleans, uint16, uint32,
// uint64, lists of strings and maps.
type Map map[string]any

// Place returns a record as those of the country and city databases of MaxMind.
// Empty codes are left out.
func Place(country, continent string, eu bool) Map {
	m := Map{}
	if country != "" {
		code := Map{"iso_code": country, "names": Map{"en": "Name of " + country}}
		if eu {
			code["is_in_european_union"] = true
		}
		m["country"] = code
	}
	if continent != "" {
		m["continent"] = Map{"code": continent}
	}
	return m
}

// ASN returns a record as those of the ASN database of MaxMind.
func ASN(number uint32) Map {
	return Map{"autonomous_system_number": number, "autonomous_system_organization": "Example"}
}

// Write returns a database with the given type, such as GeoLite2-Country, and a
// record for each network, such as 192.0.2.0/24. IPv4 networks are where MaxMind
// puts them in a database of IPv6. It panics if a network is malformed.
func Write(databaseType string, networks map[string]Map) []byte {
	tree := tree{nodes: make([][2]int, 1)}
	prefixes := make(map[netip.Prefix]Map, len(networks))
	for network, record := range networks {
		prefixes[inIPv6(netip.MustParsePrefix(network))] = record
	}
	var data bytes.Buffer
	// Longer prefixes come later, and replace a part of the shorter ones.
	for _, prefix := range slices.SortedFunc(maps.Keys(prefixes), comparePrefixes) {
		tree.insert(prefix, -1-data.Len())
		encode(&data, prefixes[prefix])
	}
	file := bytes.NewBuffer(tree.encode())
	file.Write(make([]byte, 16))
	_, _ = data.WriteTo(file)
	file.WriteString("\xab\xcd\xefMaxMind.com")
	encode(file, Map{
		"node_count": uint32(len(tree.nodes)), "record_size": uint16(32), "ip_version": uint16(6),
		"database_type": databaseType, "languages": []string{"en"}, "description": Map{"en": "A test"},
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0),
		"build_epoch": uint64(1_700_000_000),
	})
	return file.Bytes()
}

func comparePrefixes(a, b netip.Prefix) int {
	return cmp.Or(cmp.Compare(a.Bits(), b.Bits()), a.Addr().Compare(b.Addr()))
}

func inIPv6(p netip.Prefix) netip.Prefix {
	if p.Addr().Is6() {
		return p.Masked()
	}
	var address [16]byte
	copy(address[12:], p.Masked().Addr().AsSlice())
	return netip.PrefixFrom(netip.AddrFrom16(address), 96+p.Bits())
}

// tree is the search tree. A child is the index of a node, 0 if there is nothing,
// and for data -1 minus the offset.
type tree struct{ nodes [][2]int }

func (t *tree) insert(p netip.Prefix, data int) {
	address := p.Addr().As16()
	bit := func(i int) byte { return address[i/8] >> (7 - i%8) & 1 }
	at := 0
	for i := range p.Bits() - 1 {
		child := t.nodes[at][bit(i)]
		if child <= 0 {
			t.nodes = append(t.nodes, [2]int{child, child})
			child = len(t.nodes) - 1
			t.nodes[at][bit(i)] = child
		}
		at = child
	}
	t.nodes[at][bit(p.Bits()-1)] = data
}

func (t *tree) encode() []byte {
	var b []byte
	for _, node := range t.nodes {
		for _, child := range node {
			switch {
			case child == 0:
				child = len(t.nodes)
			case child < 0:
				child = len(t.nodes) + 16 + (-1 - child)
			}
			b = binary.BigEndian.AppendUint32(b, uint32(child))
		}
	}
	return b
}

// Types of the data section.
const (
	typeString = 2
	typeUint16 = 5
	typeUint32 = 6
	typeMap    = 7
	typeUint64 = 9
	typeArray  = 11
	typeBool   = 14
)

func encode(b *bytes.Buffer, value any) {
	switch v := value.(type) {
	case string:
		control(b, typeString, len(v))
		b.WriteString(v)
	case bool:
		control(b, typeBool, map[bool]int{true: 1}[v])
	case uint16:
		number(b, typeUint16, uint64(v))
	case uint32:
		number(b, typeUint32, uint64(v))
	case uint64:
		number(b, typeUint64, v)
	case []string:
		control(b, typeArray, len(v))
		for _, s := range v {
			encode(b, s)
		}
	case Map:
		control(b, typeMap, len(v))
		for _, key := range slices.Sorted(maps.Keys(v)) {
			encode(b, key)
			encode(b, v[key])
		}
	default:
		panic(fmt.Sprintf("mmdb: a %T cannot be written", value))
	}
}

func number(b *bytes.Buffer, kind int, n uint64) {
	digits := bytes.TrimLeft(binary.BigEndian.AppendUint64(nil, n), "\x00")
	control(b, kind, len(digits))
	b.Write(digits)
}

// control writes the type and the size of a value, which is less than 285.
func control(b *bytes.Buffer, kind, size int) {
	const inByte = 29
	first := min(size, inByte)
	if kind <= typeMap {
		b.WriteByte(byte(kind<<5 | first))
	} else {
		b.Write([]byte{byte(first), byte(kind - typeMap)})
	}
	if first == inByte {
		b.WriteByte(byte(size - inByte))
	}
}
