package restcases

import (
	"context"
	"fmt"
	"net/http"
	"time"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/errors"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/macaroon/macaroontest"
)

func unverified(text string) *errors.Error {
	return errors.From(caveat.Unverified(caveat.MustParse(text)))
}

// verify returns a case of an anonymous verification of the token.
func verify(g Group, path, name string, token func(w *Fixture) macaroon.Token, also object, want Want) Case {
	return about(g, path, name, func(w *Fixture) object {
		body := object{"token": token(w).String()}
		for key, value := range also {
			body[key] = value
		}
		return body
	}, want)
}

func withCaveat(texts ...string) func(w *Fixture) macaroon.Token {
	return func(w *Fixture) macaroon.Token { return w.access(texts...) }
}

// good is the answer for a token of Alice that does not expire.
const good = `{"subject":{"type":"user","id":"u-alice"},"ttl":null}`

func verifiedAccess() []Case {
	const path = "/tokens/verify_access_token"
	accepted := func(name string, token func(w *Fixture) macaroon.Token, also object, answer string) Case {
		return verify(Success, path, name, token, also, ok(answer))
	}
	rejected := func(name string, token func(w *Fixture) macaroon.Token, also object, e *errors.Error) Case {
		return verify(BadInput, path, name, token, also, refused(e))
	}
	unknown := func(name, text string, also object) Case {
		return rejected(name, withCaveat(text), also, unverified(text))
	}
	allow := object{"allowDataAccessCaveats": true}
	list := []Case{
		accepted("temporary token", func(w *Fixture) macaroon.Token { return w.Temporary() }, nil, `{"subject":{"type":"user","id":"u-alice"},"ttl":3600}`),
		accepted("earliest of two ends", withCaveat("time < 1727784100", "time < 1727784050"), nil, `{"subject":{"type":"user","id":"u-alice"},"ttl":50}`),
		accepted("version 1", func(w *Fixture) macaroon.Token { return w.Version1() }, nil, good),
		accepted("token of a Oneprovider", func(w *Fixture) macaroon.Token { return w.Transfer }, nil, `{"subject":{"type":"oneprovider","id":"p-krakow"},"ttl":null}`),
		accepted("session token", func(w *Fixture) macaroon.Token { return w.issue(Alice, macaroon.SessionToken("s-alice")) }, nil, good),
		accepted("address of the client", withCaveat("ip = "+PeerIP), nil, good),
		accepted("address in the body", withCaveat("ip = 10.0.0.0/8"), object{"peerIp": "10.1.2.3"}, good),
		accepted("interface in the body", withCaveat("interface = graphsync"), object{"interface": "graphsync"}, good),
		accepted("data caveats that are allowed", withCaveat("data.readonly"), allow, good),
		accepted("api caveat", withCaveat("api = ozw/get/user.*.*:*"), nil, good),
		accepted("Onezone as the service", withCaveat("service = ozw-onezone"), nil, good),
		accepted("nobody as the consumer", withCaveat("consumer = nobody"), nil, good),

		unknown("unknown address", "ip = "+PeerIP, object{"peerIp": nil}),
		unknown("other address", "ip = 10.0.0.0/8", nil),
		unknown("unknown interface", "interface = rest", nil),
		unknown("other interface", "interface = rest", object{"interface": "oneclient"}),
		unknown("data caveat", "data.readonly", nil),
		unknown("data caveat that is not allowed", "data.path = L3M=", object{"allowDataAccessCaveats": false}),
		unknown("no consumer", "consumer = usr-*", nil),
		unknown("other service", "service = opw-p-krakow", nil),
		unknown("expired", "time < 1727784000", nil),
		unknown("identity scope", "authorization = none", nil),
		rejected("unknown caveat", withCaveat("moon = full"), nil, errors.TokenCaveatUnknown("moon = full")),
		rejected("revoked token", func(w *Fixture) macaroon.Token { return w.Revoked() }, nil, errors.TokenRevoked()),
		rejected("forged token", func(w *Fixture) macaroon.Token { return w.Forged() }, nil, errors.TokenInvalid()),
		rejected("deleted token", func(w *Fixture) macaroon.Token {
			w.must(w.tb, w.Authority.Delete(context.Background(), w.Laptop.ID()))
			return w.Laptop
		}, nil, errors.TokenInvalid()),
		rejected("identity token", func(w *Fixture) macaroon.Token { return w.ID }, nil, errors.NotAnAccessToken(macaroon.IdentityToken())),
		rejected("invite token", func(w *Fixture) macaroon.Token { return w.Invite }, nil, errors.NotAnAccessToken(macaroon.InviteToken(macaroon.UserJoinGroup, "g-1"))),
		rejected("blocked user", func(w *Fixture) macaroon.Token { w.block(Alice); return w.Laptop }, nil, errors.UserBlocked()),
		rejected("user who is gone", func(w *Fixture) macaroon.Token {
			w.must(w.tb, w.Store.DeleteIdentity(context.Background(), Alice))
			return w.Laptop
		}, nil, errors.TokenSubjectInvalid()),
		rejected("ended session", func(w *Fixture) macaroon.Token { return w.sessionToken("s-ended") }, nil, errors.TokenSessionInvalid()),
		rejected("past generation", func(w *Fixture) macaroon.Token {
			t := w.Temporary()
			w.must(w.tb, w.Authority.RevokeTemporary(context.Background(), Alice))
			return t
		}, nil, errors.TokenRevoked()),
		rejected("past end", func(w *Fixture) macaroon.Token {
			t := w.Temporary()
			w.later(time.Hour)
			return t
		}, nil, unverified("time < 1727787600")),
	}
	return append(list, post(Success, path, "the client as the consumer", func(w *Fixture) (object, macaroontest.Credentials, Want) {
		return object{"token": w.access("consumer = usr-u-bob").String()}, w.By(w.tb, Bob), ok(good)
	}))
}

// verifiedParties returns cases with service and consumer tokens in the body.
func verifiedParties() (list []Case) {
	const path = "/tokens/verify_access_token"
	party := func(g Group, name string, texts []string, also func(w *Fixture) object, want Want) {
		list = append(list, about(g, path, name, func(w *Fixture) object {
			body := also(w)
			body["token"] = w.access(texts...).String()
			return body
		}, want))
	}
	service := func(token func(w *Fixture) string) func(w *Fixture) object {
		return func(w *Fixture) object { return object{"serviceToken": token(w)} }
	}
	consumer := func(token func(w *Fixture) string) func(w *Fixture) object {
		return func(w *Fixture) object { return object{"consumerToken": token(w)} }
	}
	lyon := func(w *Fixture) string { return w.issue(Lyon, macaroon.IdentityToken()).String() }
	party(Success, "worker of a Oneprovider", []string{"service = opw-p-krakow"}, service(func(w *Fixture) string { return w.Transfer.String() }), ok(good))
	party(Success, "worker by its mark", []string{"service = opw-p-krakow"}, service(func(w *Fixture) string { return "opw-" + w.Transfer.String() }), ok(good))
	party(BadInput, "panel by its mark", []string{"service = opw-p-krakow"}, service(func(w *Fixture) string { return "opp-" + w.Transfer.String() }), refused(unverified("service = opw-p-krakow")))
	party(BadInput, "panel that the user may not use", nil, service(func(w *Fixture) string { return "opp-" + w.Transfer.String() }), refused(forbiddenService(caveat.OpPanel, "p-krakow")))
	party(BadInput, "Oneprovider that does not serve the user", nil, service(lyon), refused(forbiddenService(caveat.OpWorker, "p-lyon")))
	party(BadInput, "service token of a user", nil, service(func(w *Fixture) string { return w.ID.String() }), refused(errors.BadServiceToken(errors.TokenInvalid())))
	party(BadInput, "service token that is a user's access token", nil, service(func(w *Fixture) string { return w.Laptop.String() }),
		refused(errors.BadServiceToken(errors.NotAnIdentityToken(macaroon.AccessToken()))))
	party(BadInput, "service token that is revoked", nil, service(func(w *Fixture) string { return w.Revoked().String() }), refused(errors.BadServiceToken(errors.TokenRevoked())))
	party(BadInput, "service token for another address", nil, service(func(w *Fixture) string {
		return w.issue(Krakow, macaroon.IdentityToken(), "ip = 10.0.0.1").String()
	}), refused(errors.BadServiceToken(unverified("ip = 10.0.0.1/32"))))
	party(Success, "consumer", []string{"consumer = usr-u-bob"}, consumer(func(w *Fixture) string { return w.issue(Bob, macaroon.IdentityToken()).String() }), ok(good))
	party(Success, "Oneprovider as the consumer", []string{"consumer = prv-p-krakow"}, consumer(func(w *Fixture) string { return w.Transfer.String() }), ok(good))
	party(BadInput, "other consumer", []string{"consumer = usr-u-bob"}, consumer(func(w *Fixture) string { return w.ID.String() }), refused(unverified("consumer = usr-u-bob")))
	party(BadInput, "consumer token that needs a consumer", nil, consumer(func(w *Fixture) string {
		return w.issue(Bob, macaroon.IdentityToken(), "consumer = usr-u-bob").String()
	}), refused(errors.BadConsumerToken(unverified("consumer = usr-u-bob"))))
	party(BadInput, "consumer token that is forged", nil, consumer(func(w *Fixture) string { return w.Forged().String() }), refused(errors.BadConsumerToken(errors.TokenInvalid())))
	party(Order, "service token before the consumer token", nil, func(w *Fixture) object {
		return object{"serviceToken": w.Forged().String(), "consumerToken": w.Revoked().String()}
	}, refused(errors.BadServiceToken(errors.TokenInvalid())))
	party(Order, "consumer token before the token", []string{"moon = full"}, func(w *Fixture) object {
		return object{"consumerToken": w.Revoked().String()}
	}, refused(errors.BadConsumerToken(errors.TokenRevoked())))
	// Version 1 tokens do not contain their subject, and the body cannot
	// indicate the service. The service is the worker whatever the prefix.
	party(Success, "service token of version 1", []string{"service = opw-p-krakow"}, service(func(w *Fixture) string { return "opp-" + w.providersVersion1() }), ok(good))
	return list
}

func verifiedOthers() []Case {
	const identity, invite = "/tokens/verify_identity_token", "/tokens/verify_invite_token"
	access, session := macaroon.AccessToken(), macaroon.SessionToken("s-alice")
	group := macaroon.InviteToken(macaroon.UserJoinGroup, "g-1")
	of := func(subject caveat.Subject, typ macaroon.Type, texts ...string) func(w *Fixture) macaroon.Token {
		return func(w *Fixture) macaroon.Token { return w.issue(subject, typ, texts...) }
	}
	invited := func(w *Fixture) macaroon.Token { return w.Invite }
	return []Case{
		verify(Success, identity, "access token of a Oneprovider", of(Krakow, access), nil, ok(`{"subject":{"type":"oneprovider","id":"p-krakow"},"ttl":null}`)),
		verify(Success, identity, "address, interface and end", of(Alice, macaroon.IdentityToken(), "ip = 10.0.0.0/8", "interface = oneclient", "time < 1727784001"),
			object{"peerIp": "10.0.0.1", "interface": "oneclient"}, ok(`{"subject":{"type":"user","id":"u-alice"},"ttl":1}`)),
		verify(Success, identity, "fields of other operations are ignored", of(Alice, macaroon.IdentityToken()), object{"serviceToken": 5, "allowDataAccessCaveats": 5}, ok(good)),
		verify(BadInput, identity, "access token of a user", of(Alice, access), nil, refused(errors.NotAnIdentityToken(access))),
		verify(BadInput, identity, "revoked access token of a user", func(w *Fixture) macaroon.Token { return w.Revoked() }, nil, refused(errors.TokenRevoked())),
		verify(BadInput, identity, "session token", of(Alice, session), nil, refused(errors.NotAnIdentityToken(session))),
		verify(BadInput, identity, "invite token", invited, nil, refused(errors.NotAnIdentityToken(group))),
		verify(BadInput, identity, "caveat that is not for identity tokens", of(Alice, macaroon.IdentityToken(), "api = all/all/*.*.*:*"), nil, refused(unverified("api = all/all/*.*.*:*"))),
		about(BadInput, identity, "consumer token that is forged", func(w *Fixture) object {
			return object{"token": w.ID.String(), "consumerToken": w.Forged().String()}
		}, refused(errors.BadConsumerToken(errors.TokenInvalid()))),
		verify(Success, invite, "expected type", invited, object{"expectedInviteType": "userJoinGroup"}, ok(good)),
		verify(Success, invite, "used up", func(w *Fixture) macaroon.Token {
			w.must(w.tb, w.Store.UpdateToken(context.Background(), w.Invite.ID(), useUp))
			return w.Invite
		}, nil, ok(good)),
		verify(BadInput, invite, "unexpected type", invited, object{"expectedInviteType": "userJoinSpace"}, refused(errors.NotAnInviteToken("userJoinSpace", group))),
		verify(BadInput, invite, "access token", of(Alice, access), nil, refused(errors.NotAnInviteToken("any", access))),
		verify(BadInput, invite, "caveat that is not for invite tokens", of(Alice, group, "interface = rest"), object{"interface": "rest"}, refused(unverified("interface = rest"))),
		about(BadInput, invite, "consumer token that is revoked", func(w *Fixture) object {
			return object{"token": w.Invite.String(), "consumerToken": w.Revoked().String()}
		}, refused(errors.BadConsumerToken(errors.TokenRevoked()))),
	}
}

func inferred() []Case {
	const path = "/tokens/infer_access_token_scope"
	on := func(name string, texts []string, answer string) Case {
		return verify(Success, path, name, withCaveat(texts...), nil, ok(answer))
	}
	scope := func(until, readonly, spaces, providers string) string {
		return fmt.Sprintf(`{"validUntil":%s,"dataAccessScope":{"readonly":%s,"spaces":{%s},"providers":{%s}}}`, until, readonly, spaces, providers)
	}
	const (
		krakow = `"p-krakow":{"name":"krakow","domain":"krakow.example.com","version":"21.02.8","online":true}`
		lyon   = `"p-lyon":{"name":"lyon","domain":"lyon.example.com","version":"21.02.8","online":false}`
	)
	return []Case{
		on("data caveats", []string{"data.readonly", "data.path = L3MtMi9maWxl", "time < 1727784001"},
			scope("1727784001", "true", `"s-2":{"name":"two","supports":{"p-lyon":{"readonly":false}}}`, lyon)),
		on("space that the user is not in", []string{"data.path = L3gvZmlsZQ=="}, scope("null", "false", "", "")),
		on("service caveat", []string{"service = opw-p-krakow|opw-p-paris"}, scope("null", "false",
			`"s-1":{"name":"one","supports":{"p-krakow":{"readonly":false}}},"s-2":{"name":"two","supports":{}},"s-3":{"name":"three","supports":{}}`, krakow)),
		on("service caveat without a worker", []string{"service = ozw-onezone"}, scope("null", "false",
			`"s-1":{"name":"one","supports":{}},"s-2":{"name":"two","supports":{}},"s-3":{"name":"three","supports":{}}`, "")),
		on("interface that is ignored", []string{"interface = oneclient"}, aliceScope),
		on("its subject as the consumer", []string{"consumer = usr-u-alice"}, aliceScope),
		verify(Success, path, "token of a Oneprovider", func(w *Fixture) macaroon.Token { return w.Transfer }, nil, ok(`{"validUntil":null,"dataAccessScope":null}`)),
		verify(Success, path, "user without spaces", func(w *Fixture) macaroon.Token { return w.TokenOf(Bob, macaroon.AccessToken()) }, nil, ok(scope("null", "false", "", ""))),
		about(Success, path, "consumer", func(w *Fixture) object {
			return object{"token": w.access("consumer = usr-u-bob").String(), "consumerToken": w.issue(Bob, macaroon.IdentityToken()).String()}
		}, ok(aliceScope)),
		about(Order, path, "consumer token before the token", func(w *Fixture) object {
			return object{"token": w.Forged().String(), "consumerToken": w.Revoked().String()}
		}, refused(errors.BadConsumerToken(errors.TokenRevoked()))),
		verify(BadInput, path, "identity token", func(w *Fixture) macaroon.Token { return w.ID }, nil, refused(errors.NotAnAccessToken(macaroon.IdentityToken()))),
		verify(BadInput, path, "address of the client", withCaveat("ip = 10.0.0.0/8"), nil, refused(unverified("ip = 10.0.0.0/8"))),
		verify(BadInput, path, "revoked token", func(w *Fixture) macaroon.Token { return w.Revoked() }, nil, refused(errors.TokenRevoked())),
		{"POST " + path, Success, "nobody knows of spaces", func(w *Fixture) (Request, Want) {
			w.Handler = w.without(w.tb)
			return Request{Method: http.MethodPost, Path: path, Body: encode(w.tb, object{"token": w.Laptop.String()})}, ok(scope("null", "false", "", ""))
		}},
	}
}
