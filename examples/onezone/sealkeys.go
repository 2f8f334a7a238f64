package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/seal"
)

// readSealKeys reads a file of keys: "NAME BASE64" on each line, the first of which
// seals. What is wrong is told by the number of the line, never by its text.
func readSealKeys(file string) (*seal.StaticKeys, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the seal keys: %w", err)
	}
	var keys []seal.Key
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		fields := strings.Fields(line)
		if len(fields) == 0 || strings.HasPrefix(fields[0], "#") {
			continue
		}
		if len(fields) != 2 {
			return nil, fmt.Errorf("line %d of %s is not a name, a space and a key in base64", number, file)
		}
		material, err := base64.StdEncoding.DecodeString(fields[1])
		if err != nil || len(material) != 32 {
			return nil, fmt.Errorf("the key on line %d of %s is not 32 bytes in base64", number, file)
		}
		keys = append(keys, seal.Key{ID: fields[0], Material: store.NewSecret(string(material))})
	}
	if len(keys) == 0 {
		return nil, errors.New("there is no key in " + file)
	}
	return seal.NewStaticKeys(keys[0], keys[1:]...)
}
