//go:build e2e

package page_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat"
	"github.com/onezone-go/onezone/macaroon"
	"github.com/onezone-go/onezone/store"
)

// created returns the only token of Alice's.
func (z *zone) created(t *testing.T) macaroon.Named {
	t.Helper()
	var all []macaroon.Named
	require.Eventually(t, func() bool {
		var err error
		all, _, err = z.List(t.Context(), store.Query{Subject: z.alice})
		return err == nil && len(all) == 1
	}, patience, 20*time.Millisecond)
	return all[0]
}

// A token from scratch can have every kind of caveat. The example of each kind
// passes its lint, and the service accepts it.
func TestEveryKindOfCaveat(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	b := newTab(t, z.url+"#create/custom", desktop)
	b.logIn(username, password)
	b.sees("From scratch")
	b.sees("Anyone who has this text can do everything you can until")
	b.set("It ends after", "never")
	b.sees("Anyone who has this text can do everything you can for ever.")
	added := evaluate[[]string](b, `(() => {
		const label = [...document.querySelectorAll('label')].find((l) => l.textContent === 'Add a caveat');
		const select = document.getElementById(label.htmlFor);
		return [...select.options].map((option) => {
			select.value = option.value;
			select.nextElementSibling.click();
			const row = [...document.querySelectorAll('.caveat')].at(-1);
			const [, example] = row.querySelector('.hint').textContent.split('Example: ');
			const input = row.querySelector('input');
			if (input) {
				input.value = 'no / value';
				input.dispatchEvent(new Event('input'));
				if (!row.querySelector('.lint').textContent) return option.value + ' has no lint';
				input.value = example;
				input.dispatchEvent(new Event('input'));
				if (row.querySelector('.lint').textContent) return row.querySelector('.lint').textContent;
			}
			return option.value;
		});
	})()`)
	require.Equal(t, []string{
		"ip", "asn", "geo.country", "geo.region", "service", "consumer", "interface", "api", "data.readonly", "data.path", "data.objectid", "scope",
	}, added)
	b.accessible()
	b.shoot("all")
	b.set("It ends after", "2592000")
	b.click("button", "Create")
	b.sees("Its text is shown only now.")

	var types []caveat.Type
	list := z.Vocabulary().ParseList(z.created(t).Caveats())
	for i := range list.Len() {
		types = append(types, list.TypeOf(i))
	}
	require.ElementsMatch(t, caveat.Types(), types)
}

// A caveat that is not complete is not dropped.
func TestIncompleteCaveatIsNotCreated(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	b := newTab(t, z.url+"#create/oneclient-in-oneprovider", desktop)
	b.logIn(username, password)
	b.sees("opw-: write ozw-, ozp-, opw- or opp- with an id")
	b.click("button", "Create")
	b.sees("1 caveat must be corrected or removed first.")
	require.Equal(t, "Services", evaluate[string](b, `document.activeElement.labels[0].textContent`))
	b.enter("Services", "ozw-onezone")
	b.click("button", "Create")
	b.sees("Its text is shown only now.")
	require.Contains(t, z.created(t).Caveats(), "service = ozw-onezone")
}

// openHouse lets everybody invite to everything.
type openHouse struct{}

func (openHouse) CheckInvitation(context.Context, macaroon.Invitation) error { return nil }

// An invite token has a target, a number of uses and privileges.
func TestInviteToken(t *testing.T) {
	t.Parallel()
	z := newZone(t, "", macaroon.WithInviters(openHouse{}))
	b := newTab(t, z.url+"#create/invite-user-to-space", desktop)
	b.logIn(username, password)
	b.sees("Anyone who has this text can accept this invitation until")
	b.click("button", "Create")
	b.sees("Enter the id of what the token invites to.")
	b.enter("Id of the space", "s-1")
	b.enter("How often it can be used", "3")
	evaluate[any](b, `document.querySelector('input[value=space_add_user]').click()`)
	b.click("button", "Create")
	b.sees("Its text is shown only now.")
	n := z.created(t)
	require.Equal(t, macaroon.InviteToken(macaroon.UserJoinSpace, "s-1"), n.Type())
	require.Equal(t, int64(3), n.UsageLimit)
	require.Equal(t, []string{"space_add_user", "space_read_data", "space_view", "space_view_transfers", "space_write_data"}, n.Privileges)
	b.goTo("tokens/" + n.ID())
	b.sees("0 of 3")
	b.sees("spaceId s-1")
	b.shoot("invite")
}

// A temporary token has no record, and needs an end.
func TestTemporaryToken(t *testing.T) {
	t.Parallel()
	z := newZone(t, "")
	b := newTab(t, z.url+"#create/onezone-rest", desktop)
	b.logIn(username, password)
	b.sees("Temporary: without a record")
	b.click("label", "Temporary: without a record in the table. It can only be revoked together with all others.")
	b.set("It ends after", "never")
	b.click("button", "Create")
	b.sees("A temporary token needs an end.")
	b.set("It ends after", "86400")
	b.click("button", "Create")
	b.sees("Its text is shown only now.")
	token, err := macaroon.Parse(b.value("Text of the token"))
	require.NoError(t, err)
	require.Positive(t, token.Generation())
	b.goTo("tokens")
	b.sees("You have no tokens yet.")
}
