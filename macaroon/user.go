package macaroon

import (
	"context"
	"fmt"
	"regexp"
	"time"
	"unicode/utf8"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/store"
)

// NewUser describes a user to create.
type NewUser struct {
	// ID has 1 to 64 letters, digits, dashes and underscores. "": a random id.
	ID string
	// Username must be unique and have 2 to 20 ASCII letters, digits, dashes
	// and underscores; the first and last must be a letter or digit. "": none,
	// and the user cannot log in with a password.
	Username string
	// FullName has 2 to 50 letters, digits, spaces, dots, commas, dashes and
	// apostrophes; the first and last must be a letter or digit. "": none.
	FullName string
	// Password has at least 8 characters and at most [MaxPassword] bytes of
	// UTF-8. "": none, and the user cannot log in with a password.
	Password string `json:"-"`
}

// Format prints all fields except the password, for every verb.
func (u NewUser) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "user %q (username %q, full name %q)", u.ID, u.Username, u.FullName)
}

// CreateUser adds a user to the store. Tokens and the temporary secret of a
// former user with the same ID are removed, as by [Authority.Forget]. For
// Oneproviders see [Authority.CreateProvider].
//
// Errors:
//   - badValueUsername, badValueFullName and badValuePassword;
//   - badValueIdentifier {key "id"};
//   - badValueIdentifierOccupied {key "username"};
//   - alreadyExists if the ID is in use.
func (a *Authority) CreateUser(ctx context.Context, u NewUser) (caveat.Subject, error) {
	i := store.Identity{Username: u.Username, FullName: u.FullName, Created: a.clock().Unix()}
	if err := u.validate(); err != nil {
		return caveat.Subject{}, err
	}
	var err error
	if i.Password, err = a.newPassword(ctx, u.Password); err != nil {
		return caveat.Subject{}, err
	}
	fresh := u.ID == "" // a random id was never used before
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
		if err := a.activateReusedID(ctx, i.Subject); err != nil {
			return caveat.Subject{}, err
		}
	}
	a.observe(ctx, Event{Kind: UserCreated, Subject: i.Subject, Username: i.Username})
	return i.Subject, nil
}

// newPassword returns the hash of a password to set; zero for "".
func (a *Authority) newPassword(ctx context.Context, password string) (store.Secret, error) {
	if password == "" {
		return store.Secret{}, nil
	}
	prepared, err := a.acceptPassword(password)
	if err != nil {
		return store.Secret{}, err
	}
	return a.hash(ctx, prepared)
}

// acceptPassword prepares and validates a password to set.
func (a *Authority) acceptPassword(password string) (prepared string, err error) {
	if prepared, err = a.preparePassword(password); err != nil {
		return "", err
	}
	return prepared, validatePassword(prepared)
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
	if err := ifSet(u.ID, validateHolderID); err != nil {
		return err
	}
	if err := ifSet(u.Username, validateUsername); err != nil {
		return err
	}
	return ifSet(u.FullName, validateFullName)
}

// validateHolderID validates the id of a user or Oneprovider. Ids occur in
// identifiers, caveats and resources, where some words and all punctuation have
// a meaning.
func validateHolderID(id string) error {
	if !userID.MatchString(id) || id == "null" || id == "self" {
		return errors.BadValueIdentifier("id")
	}
	return nil
}

// ifSet validates a text that may be "", for none.
func ifSet(text string, validate func(string) error) error {
	if text == "" {
		return nil
	}
	return validate(text)
}

// SetPassword replaces the password of a user; "" removes it. Errors:
// badValuePassword; notFound.
func (a *Authority) SetPassword(ctx context.Context, user caveat.Subject, password string) error {
	hashed, err := a.newPassword(ctx, password)
	if err != nil {
		return err
	}
	return a.administer(ctx, user, Event{Kind: PasswordSet}, func(i *store.Identity) { i.Password = hashed })
}

// SetUsername replaces the name with which a user logs in. With "" the user has
// none, and cannot log in with a password. Errors: badValueUsername;
// badValueIdentifierOccupied {key "username"}; notFound.
func (a *Authority) SetUsername(ctx context.Context, user caveat.Subject, name string) error {
	if err := ifSet(name, validateUsername); err != nil {
		return err
	}
	return a.administer(ctx, user, Event{Kind: UserRenamed}, func(i *store.Identity) { i.Username = name })
}

// SetFullName replaces the full name of a user; "" removes it. Errors:
// badValueFullName; notFound.
func (a *Authority) SetFullName(ctx context.Context, user caveat.Subject, name string) error {
	if err := ifSet(name, validateFullName); err != nil {
		return err
	}
	return a.administer(ctx, user, Event{Kind: UserRenamed}, func(i *store.Identity) { i.FullName = name })
}

// SetBlocked blocks or unblocks a user or Oneprovider. While it is blocked, its
// tokens and password are rejected. The error is notFound if the subject does
// not exist.
func (a *Authority) SetBlocked(ctx context.Context, user caveat.Subject, blocked bool) error {
	event := Event{Kind: UserUnblocked}
	if blocked {
		event.Kind = UserBlocked
	}
	return a.administer(ctx, user, event, func(i *store.Identity) { i.Blocked = blocked })
}

// administer changes a user and reports the event. The event has the user name
// after the change.
func (a *Authority) administer(ctx context.Context, user caveat.Subject, e Event, change func(*store.Identity)) error {
	e.Subject = user
	err := a.changeUser(ctx, user, func(i *store.Identity) {
		change(i)
		e.Username = i.Username
	})
	if err == nil {
		a.observe(ctx, e)
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

// User is the information about a user in the store of an authority.
type User struct {
	Subject     caveat.Subject
	Username    string // "": none
	FullName    string // "": none
	HasPassword bool
	Blocked     bool
	Created     time.Time // zero: unknown
	Rights      []string  // admin rights, sorted
}

// User returns the information about a user in the store. The error is notFound
// for other subjects, including users known only to a [Directory].
func (a *Authority) User(ctx context.Context, user caveat.Subject) (User, error) {
	i, err := a.store.GetIdentity(ctx, user)
	if err != nil {
		return User{}, fmt.Errorf("looking up a user: %w", err)
	}
	return userOf(i), nil
}

func userOf(i store.Identity) User {
	u := User{Subject: i.Subject, Username: i.Username, FullName: i.FullName, HasPassword: !i.Password.IsZero(), Blocked: i.Blocked, Rights: i.Rights}
	if i.Created != 0 {
		u.Created = time.Unix(i.Created, 0).UTC()
	}
	return u
}

// Characters between the first and the last are also punctuation. Letters of a
// full name may have combining marks.
var (
	username = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,18}[A-Za-z0-9]$`)
	fullName = regexp.MustCompile(`^[\p{L}\p{Nd}][\p{L}\p{Nd}\p{M} .,'\x{2019}-]{0,48}[\p{L}\p{Nd}\p{M}]$`)
)

// validateUsername checks a user name: see [NewUser]. The error is
// badValueUsername.
func validateUsername(name string) error {
	if !username.MatchString(name) {
		return errors.BadValueUsername()
	}
	return nil
}

// validateFullName checks a full name: see [NewUser]. The error is
// badValueFullName.
func validateFullName(name string) error {
	if !fullName.MatchString(name) {
		return errors.BadValueFullName()
	}
	return nil
}

// MaxPassword is the maximum length of a password, in bytes. A longer one would
// not fit into the headers that servers accept.
const MaxPassword = 1024

// validatePassword checks a password: see [NewUser]. The error is
// badValuePassword.
func validatePassword(password string) error {
	if len(password) > MaxPassword || !utf8.ValidString(password) || utf8.RuneCountInString(password) < 8 {
		return errors.BadValuePassword()
	}
	return nil
}
