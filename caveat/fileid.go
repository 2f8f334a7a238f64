package caveat

import (
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"

	"github.com/onezone-go/onezone/errors"
)

// FileID is the content of an object id or guid: the file, its space, and the
// share through which it is seen ("" if none). No part may hold "#".
type FileID struct {
	UUID  string
	Space string
	Share string
}

// The two forms of the text inside an id begin with these words.
const (
	guidHead      = "guid"
	shareGuidHead = "shareGuid"
)

// The frame of an object id is defined by CDMI (ISO/IEC 17826, "Object ID
// format"): a reserved byte, the enterprise number (3), a reserved byte, the
// length, a CRC-16 (2), then the data.
const (
	lengthOffset = 5
	crcOffset    = 6
	dataOffset   = 8
	maxData      = 320
)

// ObjectID returns the object id in upper-case hexadecimal. The error is
// badData {key "objectId"}: a part holds "#", or the parts together are longer
// than 320 bytes.
func (f FileID) ObjectID() (string, error) {
	data := f.data()
	if _, err := parseFileID(data); err != nil || len(data) > maxData {
		return "", badObjectID()
	}
	b := make([]byte, dataOffset, dataOffset+len(data))
	b[lengthOffset] = byte(len(data))
	b = append(b, data...)
	binary.BigEndian.PutUint16(b[crcOffset:], crc16(b))
	return strings.ToUpper(hex.EncodeToString(b)), nil
}

// GUID returns the guid: the content of the object id in unpadded base64url.
func (f FileID) GUID() string { return base64.RawURLEncoding.EncodeToString([]byte(f.data())) }

func (f FileID) data() string {
	if f.Share != "" {
		return strings.Join([]string{shareGuidHead, f.UUID, f.Space, f.Share}, "#")
	}
	return strings.Join([]string{guidHead, f.UUID, f.Space}, "#")
}

// ParseObjectID reads an object id, in upper or lower case. As in the original,
// the enterprise number, length and checksum are not checked, and the space may
// be empty. The error is badData {key "objectId"}.
func ParseObjectID(text string) (FileID, error) {
	b, err := hex.DecodeString(text)
	if err != nil || len(b) < dataOffset || b[0] != 0 || b[4] != 0 {
		return FileID{}, badObjectID()
	}
	return parseFileID(string(b[dataOffset:]))
}

// ParseGUID reads a guid. The error is badData {key "objectId"}.
func ParseGUID(guid string) (FileID, error) {
	data, err := base64.RawURLEncoding.DecodeString(guid)
	f, formErr := parseFileID(string(data))
	// A guid has one spelling; the decoder alone would skip line breaks.
	if err != nil || formErr != nil || f.GUID() != guid {
		return FileID{}, badObjectID()
	}
	return f, nil
}

func parseFileID(data string) (FileID, error) {
	part := strings.SplitN(data, "#", 5)
	switch {
	case len(part) == 3 && part[0] == guidHead:
		return FileID{UUID: part[1], Space: part[2]}, nil
	case len(part) == 4 && part[0] == shareGuidHead && part[3] != "":
		return FileID{UUID: part[1], Space: part[2], Share: part[3]}, nil
	}
	return FileID{}, badObjectID()
}

func badObjectID() error {
	return errors.BadDataHint("objectId", "expected the hexadecimal object id or the guid of a file")
}

// crc16 is the checksum of an object id whose checksum field is zero:
// CRC-16/ARC, the reflected polynomial 0x8005 with initial value 0.
func crc16(data []byte) uint16 {
	var crc uint16
	for _, b := range data {
		crc ^= uint16(b)
		for range 8 {
			if crc&1 != 0 {
				crc = crc>>1 ^ 0xA001
			} else {
				crc >>= 1
			}
		}
	}
	return crc
}
