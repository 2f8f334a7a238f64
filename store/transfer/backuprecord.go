package transfer

import (
	"encoding/json"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// backupRecord is a record in a backup. Bytes are in base64.
type backupRecord struct {
	Identity  *backupIdentity  `json:"identity,omitempty"`
	Temporary *backupTemporary `json:"temporary,omitempty"`
	Token     *backupToken     `json:"token,omitempty"`
	Use       *backupUse       `json:"use,omitempty"`
}

type backupIdentity struct {
	Subject  string   `json:"subject"`
	Username string   `json:"username,omitempty"`
	FullName string   `json:"fullName,omitempty"`
	Password []byte   `json:"password,omitempty"`
	Blocked  bool     `json:"blocked,omitempty"`
	Created  int64    `json:"created,omitempty"`
	Rights   []string `json:"rights,omitempty"`
}

type backupTemporary struct {
	Subject    string `json:"subject"`
	Secret     []byte `json:"secret"`
	Generation int64  `json:"generation"`
}

type backupToken struct {
	ID           string          `json:"id"`
	Name         string          `json:"name"`
	Version      int             `json:"version"`
	Subject      string          `json:"subject"`
	Type         string          `json:"type"`
	Caveats      []string        `json:"caveats,omitempty"`
	Secret       []byte          `json:"secret"`
	Created      int64           `json:"created"`
	Revoked      bool            `json:"revoked,omitempty"`
	RevokedTails [][]byte        `json:"revokedTails,omitempty"`
	Custom       json.RawMessage `json:"custom,omitempty"`
	Privileges   *[]string       `json:"privileges,omitempty"` // nil differs from empty
	UsageLimit   int64           `json:"usageLimit,omitempty"`
	UsageCount   int64           `json:"usageCount,omitempty"`
	Parent       string          `json:"parent,omitempty"`
	Tightened    []backupCaveat  `json:"tightened,omitempty"`
	Bait         store.Bait      `json:"bait,omitempty"`
}

type backupCaveat struct {
	Text  string `json:"text"`
	Added int64  `json:"added"`
}

type backupUse struct {
	TokenID   string `json:"tokenId"`
	At        int64  `json:"at"`
	Address   string `json:"address,omitempty"`
	Service   string `json:"service,omitempty"`
	Interface string `json:"interface,omitempty"`
	Count     int64  `json:"count"`
}

// backupOf returns the record as it is written to a backup.
func backupOf(r store.Record) backupRecord {
	switch {
	case r.Identity != nil:
		i := r.Identity
		return backupRecord{Identity: &backupIdentity{
			i.Subject.String(), i.Username, i.FullName, []byte(i.Password.Reveal()), i.Blocked, i.Created, i.Rights,
		}}
	case r.Temporary != nil:
		t := r.Temporary
		return backupRecord{Temporary: &backupTemporary{t.Subject.String(), []byte(t.Secret.Reveal()), t.Generation}}
	case r.Token != nil:
		t := r.Token
		kept := &backupToken{
			ID: t.ID, Name: t.Name, Version: t.Version, Subject: t.Subject.String(), Type: t.Type, Caveats: t.Caveats,
			Secret: []byte(t.Secret.Reveal()), Created: t.Created, Revoked: t.Revoked, Custom: t.Custom,
			UsageLimit: t.UsageLimit, UsageCount: t.UsageCount, Parent: t.Parent, Bait: t.Bait,
		}
		for _, c := range t.Tightened {
			kept.Tightened = append(kept.Tightened, backupCaveat(c))
		}
		for _, tail := range t.RevokedTails {
			kept.RevokedTails = append(kept.RevokedTails, tail[:])
		}
		if t.Privileges != nil {
			kept.Privileges = &t.Privileges
		}
		return backupRecord{Token: kept}
	case r.Use != nil:
		return backupRecord{Use: new(backupUse(*r.Use))}
	}
	return backupRecord{}
}

// parseBackup returns the record of a line. The error does not quote it, because
// it may contain secrets.
func parseBackup(text []byte) (r store.Record, err error) {
	var kept backupRecord
	if strictUnmarshal(text, &kept) != nil {
		return r, errors.New("this is not a record that this release knows")
	}
	if k := kept.Identity; k != nil {
		i := store.Identity{
			Username: k.Username, FullName: k.FullName, Password: store.NewSecret(string(k.Password)), Blocked: k.Blocked, Created: k.Created,
			Rights: k.Rights,
		}
		i.Subject, err = caveat.ParseSubject(k.Subject)
		r.Identity = &i
	}
	if k := kept.Temporary; k != nil && err == nil {
		t := store.Temporary{Secret: store.NewSecret(string(k.Secret)), Generation: k.Generation}
		t.Subject, err = caveat.ParseSubject(k.Subject)
		r.Temporary = &t
	}
	if k := kept.Token; k != nil && err == nil {
		r.Token, err = k.parse()
	}
	if k := kept.Use; k != nil && err == nil {
		r.Use = new(store.Use(*k))
	}
	if err == nil {
		err = r.Validate()
	}
	if err != nil {
		return store.Record{}, errors.New("the record is not valid")
	}
	return r, nil
}

func (k *backupToken) parse() (*store.Token, error) {
	t := &store.Token{
		ID: k.ID, Name: k.Name, Version: k.Version, Type: k.Type, Caveats: k.Caveats, Secret: store.NewSecret(string(k.Secret)),
		Created: k.Created, Revoked: k.Revoked, Custom: k.Custom, UsageLimit: k.UsageLimit, UsageCount: k.UsageCount,
		Parent: k.Parent, Bait: k.Bait,
	}
	for _, c := range k.Tightened {
		t.Tightened = append(t.Tightened, store.OwnerCaveat(c))
	}
	for _, tail := range k.RevokedTails {
		if len(tail) != len(store.Tail{}) {
			return nil, errors.New("a revoked copy has the wrong size")
		}
		t.RevokedTails = append(t.RevokedTails, store.Tail(tail))
	}
	if k.Privileges != nil {
		t.Privileges = *k.Privileges
	}
	var err error
	t.Subject, err = caveat.ParseSubject(k.Subject)
	return t, err
}
