package macaroon

import (
	"context"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// NewUser says who is to be a user of the authority's store.
type NewUser struct {
	ID       string // letters, digits, dashes, underscores, 64 at most; "": one is drawn at random
	Username string // see [ValidateUsername]; unique. "": the user cannot log in with a password
	FullName string // see [ValidateFullName]; "": none
	Password string `json:"-"` // see [ValidatePassword]; "": the user cannot log in with a password
}

// Format prints all but the password, whatever the verb.
func (u NewUser) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "user %q (username %q, full name %q)", u.ID, u.Username, u.FullName)
}

// CreateUser adds a user to the store. (A Oneprovider is added there:
// CreateIdentity with [caveat.Provider] as the subject and the time of creation.)
// Errors: badValueUsername,
// badValueFullName, badValuePassword, badValueIdentifier {key "id"},
// badValueIdentifierOccupied {key "username"}, alreadyExists for the id.
//
// Tokens and the temporary secret that a former user with the ID left are removed,
// as by [Authority.Forget].
func (a *Authority) CreateUser(ctx context.Context, u NewUser) (caveat.Subject, error) {
	i := store.Identity{Username: u.Username, FullName: u.FullName, Created: a.clock().Unix()}
	if err := u.validate(); err != nil {
		return caveat.Subject{}, err
	}
	var err error
	if i.Password, err = a.newPassword(ctx, u.Password); err != nil {
		return caveat.Subject{}, err
	}
	fresh := u.ID == "" // nobody had it before
	if fresh {
		if u.ID, err = a.newID(); err != nil {
			return caveat.Subject{}, err
		}
	}
	i.Subject, i.Blocked = caveat.User(u.ID), !fresh
	if err := a.store.CreateIdentity(ctx, i); err != nil {
		return caveat.Subject{}, fmt.Errorf("storing a user: %w", err)
	}
	if !fresh {
		if err := a.takeOver(ctx, i.Subject); err != nil {
			return caveat.Subject{}, err
		}
	}
	a.observe(ctx, Event{Kind: UserCreated, Subject: i.Subject, Username: i.Username})
	return i.Subject, nil
}

// newPassword returns the hash of a password to be set, zero for "".
func (a *Authority) newPassword(ctx context.Context, password string) (store.Secret, error) {
	if password == "" {
		return store.Secret{}, nil
	}
	prepared, err := a.preparePassword(password)
	if err != nil {
		return store.Secret{}, err
	}
	if err := ValidatePassword(prepared); err != nil {
		return store.Secret{}, err
	}
	return a.hash(ctx, prepared)
}

// preparePassword applies the profile of the authority to a password. The error
// is badValuePassword.
func (a *Authority) preparePassword(password string) (string, error) {
	if a.passwordProfile == nil {
		return password, nil
	}
	if !utf8.ValidString(password) {
		return "", errors.BadValuePassword()
	}
	prepared, err := a.passwordProfile(password)
	if err != nil || prepared == "" {
		return "", errors.BadValuePassword()
	}
	return prepared, nil
}

var userID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

func (u NewUser) validate() error {
	if u.ID != "" {
		// An id stands in identifiers, caveats and resources of tokens, where
		// some words and all punctuation have a meaning.
		if !userID.MatchString(u.ID) || u.ID == "null" || u.ID == "self" {
			return errors.BadValueIdentifier("id")
		}
	}
	if u.Username != "" {
		if err := ValidateUsername(u.Username); err != nil {
			return err
		}
	}
	if u.FullName != "" {
		if err := ValidateFullName(u.FullName); err != nil {
			return err
		}
	}
	return nil
}

// SetPassword replaces the password of a user; "" takes it away. Errors:
// badValuePassword; notFound.
func (a *Authority) SetPassword(ctx context.Context, user caveat.Subject, password string) error {
	hashed, err := a.newPassword(ctx, password)
	if err != nil {
		return err
	}
	return a.administer(ctx, user, PasswordSet, func(i *store.Identity) { i.Password = hashed })
}

// SetUsername replaces the name by which a user logs in; "" takes it away, and
// with it the way to log in. Errors: badValueUsername; badValueIdentifierOccupied
// {key "username"}; notFound.
func (a *Authority) SetUsername(ctx context.Context, user caveat.Subject, name string) error {
	if name != "" {
		if err := ValidateUsername(name); err != nil {
			return err
		}
	}
	return a.administer(ctx, user, UserRenamed, func(i *store.Identity) { i.Username = name })
}

// SetFullName replaces the full name of a user; "" takes it away. Errors:
// badValueFullName; notFound.
func (a *Authority) SetFullName(ctx context.Context, user caveat.Subject, name string) error {
	if name != "" {
		if err := ValidateFullName(name); err != nil {
			return err
		}
	}
	return a.administer(ctx, user, UserRenamed, func(i *store.Identity) { i.FullName = name })
}

// SetBlocked blocks a user or Oneprovider, whose tokens and password stop working,
// or unblocks it, after which they work again. The error is notFound if there is
// no such subject.
func (a *Authority) SetBlocked(ctx context.Context, user caveat.Subject, blocked bool) error {
	kind := UserUnblocked
	if blocked {
		kind = UserBlocked
	}
	return a.administer(ctx, user, kind, func(i *store.Identity) { i.Blocked = blocked })
}

// administer changes a user, and tells the observer. The event has the user name
// after the change.
func (a *Authority) administer(ctx context.Context, user caveat.Subject, kind EventKind, change func(*store.Identity)) error {
	var username string
	err := a.changeUser(ctx, user, func(i *store.Identity) {
		change(i)
		username = i.Username
	})
	if err == nil {
		a.observe(ctx, Event{Kind: kind, Subject: user, Username: username})
	}
	return err
}

func (a *Authority) changeUser(ctx context.Context, user caveat.Subject, change func(*store.Identity)) error {
	err := a.store.UpdateIdentity(ctx, user, func(i *store.Identity) error {
		change(i)
		return nil
	})
	if err != nil {
		return fmt.Errorf("changing a user: %w", err)
	}
	return nil
}

// User is what the store of an authority keeps of a user, beside tokens.
type User struct {
	Subject     caveat.Subject
	Username    string // "": none
	FullName    string // "": none
	HasPassword bool
	Blocked     bool
	Created     time.Time // zero: not known
}

// User returns what the store keeps of a user. The error is notFound for a
// subject that it does not keep, users of a [Directory] among them.
func (a *Authority) User(ctx context.Context, user caveat.Subject) (User, error) {
	i, err := a.store.GetIdentity(ctx, user)
	if err != nil {
		return User{}, fmt.Errorf("looking up a user: %w", err)
	}
	u := User{Subject: i.Subject, Username: i.Username, FullName: i.FullName, HasPassword: !i.Password.IsZero(), Blocked: i.Blocked}
	if i.Created != 0 {
		u.Created = time.Unix(i.Created, 0).UTC()
	}
	return u, nil
}

// ValidateUsername reports whether a user may have the name: 2 to 20 ASCII
// letters and digits, and dashes and underscores between the first and the last
// of them. The error is badValueUsername.
func ValidateUsername(name string) error {
	for i, r := range name {
		inside := i > 0 && i < len(name)-1 && (r == '-' || r == '_')
		if !inside && (r > unicode.MaxASCII || !unicode.IsLetter(r) && !unicode.IsDigit(r)) {
			return errors.BadValueUsername()
		}
	}
	if len(name) < 2 || len(name) > 20 {
		return errors.BadValueUsername()
	}
	return nil
}

// ValidateFullName reports whether a user may have the full name: 2 to 50
// letters, with their marks, and digits, and spaces, dots, commas, dashes and
// apostrophes between the first and the last of them. The error is
// badValueFullName.
func ValidateFullName(name string) error {
	runes := []rune(name)
	if !utf8.ValidString(name) || len(runes) < 2 || len(runes) > 50 {
		return errors.BadValueFullName()
	}
	for i, r := range runes {
		edge := i == 0 || i == len(runes)-1
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r) && i > 0:
		case !edge && strings.ContainsRune(" .,-'\u2019", r):
		default:
			return errors.BadValueFullName()
		}
	}
	return nil
}

// MaxPassword is how long a password may be, in bytes. A longer one would not fit
// into the headers that servers take.
const MaxPassword = 1024

// ValidatePassword reports whether a user may have the password: at least 8
// characters of UTF-8, in at most [MaxPassword] bytes. The error is
// badValuePassword.
func ValidatePassword(password string) error {
	if len(password) > MaxPassword || !utf8.ValidString(password) || utf8.RuneCountInString(password) < 8 {
		return errors.BadValuePassword()
	}
	return nil
}
