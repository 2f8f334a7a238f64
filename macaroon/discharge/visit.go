package discharge

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"

	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon/internal/wire"
)

// maxVisit is how long a client may come back for a discharge.
const maxVisit = 15 * time.Minute

// Sizes of a visit, in bytes: random bytes, its end in Unix seconds, a MAC.
const (
	visitRandom = 16
	visitEnd    = 8
	visitMAC    = 16
	visitSize   = visitRandom + visitEnd + visitMAC
)

// visits makes and recognizes visits. It has no memory: a visit is authenticated
// together with the identifier that it is for.
type visits struct {
	key []byte
}

func newVisits(key PrivateKey) visits {
	h := hmac.New(sha256.New, []byte(key.Reveal()))
	h.Write([]byte("visits of a discharger"))
	return visits{h.Sum(nil)}
}

// start returns a new visit for the identifier.
func (v visits) start(identifier string, now time.Time) string {
	visit := make([]byte, visitRandom, visitSize)
	_, _ = rand.Read(visit) // never fails: see crypto/rand
	visit = binary.BigEndian.AppendUint64(visit, uint64(now.Add(maxVisit).Unix()))
	return base64.RawURLEncoding.EncodeToString(append(visit, v.mac(visit, identifier)...))
}

// check returns an error unless the visit is one for the identifier, and not
// over.
func (v visits) check(visit, identifier string, now time.Time) error {
	raw, ok := wire.DecodePlain(visit)
	if !ok || len(raw) != visitSize {
		return errors.BadDataHint("token", "it is not one of this discharger")
	}
	signed, mac := []byte(raw[:visitSize-visitMAC]), []byte(raw[visitSize-visitMAC:])
	end := binary.BigEndian.Uint64(signed[visitRandom:])
	switch {
	case !hmac.Equal(mac, v.mac(signed, identifier)):
		return errors.BadDataHint("token", "it is not one of this discharger for this caveat")
	case now.Unix() >= int64(end):
		return errors.BadDataHint("token", "it has expired: ask for the discharge again")
	}
	return nil
}

func (v visits) mac(signed []byte, identifier string) []byte {
	h := hmac.New(sha256.New, v.key)
	h.Write(signed)
	h.Write([]byte(identifier))
	return h.Sum(nil)[:visitMAC]
}
