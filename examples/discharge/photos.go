package main

import (
	"context"
	"crypto/rand"
	"fmt"
	"net/http"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon/discharge"
	"github.com/onezone-go/onezone/macaroon/general"
	"github.com/onezone-go/onezone/store"
)

// photos is the photo service. It keeps nothing about its clients.
type photos struct {
	key         store.Secret // signs its macaroons
	identityURL string
	identityKey discharge.PublicKey
	vocabulary  *caveat.Vocabulary
}

// newPhotos returns the service with its secret, and the identity service that it
// trusts.
func newPhotos(key store.Secret, identityURL string, identityKey discharge.PublicKey) (http.Handler, error) {
	vocabulary, err := caveat.NewVocabulary(albumKind)
	p := &photos{key, identityURL, identityKey, vocabulary}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /albums/{owner}", p.album)
	return mux, err
}

// albumKind is the caveat "album = OWNER".
var albumKind = caveat.Kind{
	Name: "album",
	Satisfied: func(ctx context.Context, value string, _ *caveat.Request) (bool, error) {
		return ctx.Value(albumKey{}) == value, nil
	},
}

// albumKey is the context key of the owner of the album that a request is about.
type albumKey struct{}

// album shows an album to its owner. A client without a good macaroon gets a new
// one, which still needs a discharge.
func (p *photos) album(w http.ResponseWriter, r *http.Request) {
	owner := r.PathValue("owner")
	if p.verify(context.WithValue(r.Context(), albumKey{}, owner), r.Header.Get("Authorization")) == nil {
		_, _ = fmt.Fprintf(w, "photos of %s", owner)
		return
	}
	m, err := p.issue(owner)
	var text string
	if err == nil {
		text, err = m.Encode(general.V2)
	}
	if err != nil {
		http.Error(w, "no macaroon could be issued", http.StatusBadRequest)
		return
	}
	w.Header().Set("WWW-Authenticate", "Macaroon")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(http.StatusUnauthorized)
	_, _ = fmt.Fprint(w, text)
}

// issue returns a macaroon for one album. It is good once the identity service
// says that the client is the owner.
func (p *photos) issue(owner string) (general.Macaroon, error) {
	isAlbum, err := p.vocabulary.New("album", owner)
	if err != nil {
		return general.Macaroon{}, err
	}
	isOwner, err := p.identityKey.Caveat(p.identityURL, userCondition+owner)
	if err != nil {
		return general.Macaroon{}, err
	}
	m, err := general.New("photos", rand.Text(), p.key)
	if err == nil {
		m, err = m.Confine(isAlbum.String())
	}
	if err != nil {
		return general.Macaroon{}, err
	}
	return discharge.Add(m, isOwner)
}

// verify accepts macaroons of this service, each with its discharges.
func (p *photos) verify(ctx context.Context, header string) error {
	bundle, err := general.ParseBundle(header, general.V2)
	if err != nil {
		return err
	}
	key := func(context.Context, general.Macaroon) (store.Secret, error) { return p.key, nil }
	_, err = discharge.VerifyBundle(ctx, bundle, key, caveat.Request{Now: time.Now(), Vocabulary: p.vocabulary})
	return err
}
