package storetest_test

import (
	"os"
	"testing"
	"time"

	"github.com/onezone-go/onezone/internal/testing/faulty"
	"github.com/onezone-go/onezone/store"
	"github.com/onezone-go/onezone/store/memory"
	"github.com/onezone-go/onezone/store/storetest"
)

// faultEnv names the fault that TestFaultyStore runs the suite against.
const faultEnv = "STORETEST_FAULT"

// coreFaults are the faults of a naive store, each with the checks that must
// detect it.
var coreFaults = map[string][]string{
	// Errors and contexts.
	"context ignored":                 {"Context/a canceled context stops every call", "Context/an expired deadline stops every call"},
	"context ignored by a look-up":    {"Context/a canceled context stops every call"},
	"context checked after the write": {"Context/a canceled context stops every call"},
	"context error as not found":      {"Context/a canceled context stops every call"},
	"context error in the catalogue":  {"Context/a canceled context stops every call"},
	"context error hidden":            {"Context/an expired deadline stops every call"},
	"not found as a plain error": {
		"Keys/a missing token has no named key", "TemporaryKeys/a look-up never writes",
		"Tokens/missing records are not found", "Identities/missing records are not found",
	},
	"bad text upsets the database":  {"Texts/looking up any text is not an operational error"},
	"long text upsets the database": {"Texts/looking up any text is not an operational error"},
	"taken id as occupied name":     {"Tokens/the id is unique"},
	"occupied name as existing token": {
		"Tokens/the name is unique among the tokens of the subject", "Tokens/concurrent creators of one name: one wins",
	},
	"occupied name without a key": {"Tokens/the name is unique among the tokens of the subject"},

	// Keys.
	"revocation not in the key":               {"Keys/a named key follows updates of the token"},
	"tails not in the key":                    {"Keys/a named key agrees with the record"},
	"additions of the owner not in the key":   {"Keys/a named key agrees with the record"},
	"only the first addition in the key":      {"Keys/a named key follows updates of the token"},
	"bait not in the key":                     {"Keys/a named key follows updates of the token"},
	"generation of a named key":               {"Keys/a named key agrees with the record"},
	"stale holder":                            {"Keys/keys follow the holder's identity immediately"},
	"missing holder taken for active":         {"Keys/keys follow the holder's identity immediately"},
	"type of the subject ignored":             {"Keys/a holder of the same id but another type is another", "TemporaryKeys/subjects are kept apart"},
	"look-up writes":                          {"TemporaryKeys/a look-up never writes"},
	"ensure overwrites":                       {"TemporaryKeys/ensure creates a key once"},
	"ensure in two steps":                     {"TemporaryKeys/concurrent ensure yields one key"},
	"generation not counted":                  {"TemporaryKeys/rotate replaces the secret and increments the generation"},
	"rotate in two steps":                     {"TemporaryKeys/concurrent rotate gives each a generation"},
	"delete keeps the generation":             {"TemporaryKeys/delete removes secret and generation"},
	"deleting no secret is an error":          {"TemporaryKeys/delete removes secret and generation"},
	"group accepted":                          {"TemporaryKeys/only users and oneproviders with a secret are accepted"},
	"empty secret accepted":                   {"TemporaryKeys/only users and oneproviders with a secret are accepted"},
	"temporary secret goes with the identity": {"TemporaryKeys/the secret outlives the identity"},

	// Records.
	"additions without times":        {"TokenRecords/every field is kept"},
	"parent dropped":                 {"TokenRecords/every field is kept", "Parents/tokens with the parent are listed whatever their subject"},
	"parent ignored":                 {"Parents/tokens with the parent are listed whatever their subject", "Parents/an unknown parent gives an empty page"},
	"only children of the holder":    {"Parents/tokens with the parent are listed whatever their subject", "Parents/a listing by parent follows deletions and imports"},
	"parent with subject accepted":   {"Parents/a parent with a subject is refused"},
	"invalid records kept":           {"Tokens/an invalid record is refused", "Identities/an invalid record is refused", "Texts/texts that no backend can store are refused"},
	"create overwrites":              {"Tokens/the id is unique", "Identities/the subject is unique"},
	"create in two steps":            {"Tokens/concurrent creators of one id: one wins", "Tokens/concurrent creators of one name: one wins", "Identities/concurrent creators of one subject: one wins", "Identities/concurrent creators of one user name: one wins"},
	"names not unique":               {"Tokens/the name is unique among the tokens of the subject", "UpdateToken/a taken name is refused"},
	"names unique across subjects":   {"Tokens/the name is unique among the tokens of the subject"},
	"delete keeps the name":          {"Tokens/delete removes the record and frees id and name"},
	"delete in two steps":            {"Tokens/concurrent deletes: one wins"},
	"deleting no token succeeds":     {"Tokens/missing records are not found"},
	"empty privileges become none":   {"TokenRecords/an empty list and nil differ where it matters"},
	"no privileges become empty":     {"TokenRecords/an empty list and nil differ where it matters"},
	"caveats sorted":                 {"TokenRecords/every field is kept"},
	"caveats made unique":            {"TokenRecords/every field is kept"},
	"numbers as floats":              {"TokenRecords/numbers of every size are kept", "ListTokens/records are in the order of creation then id"},
	"secrets as text":                {"TokenRecords/secrets of any bytes are kept"},
	"custom through floats":          {"TokenRecords/custom metadata is kept as an equal object"},
	"custom without zero runes":      {"TokenRecords/custom metadata is kept as an equal object"},
	"custom dropped":                 {"TokenRecords/every field is kept"},
	"texts truncated":                {"TokenRecords/long and many texts are kept"},
	"letter case ignored":            {"Texts/texts are compared byte for byte as token ids and names", "Texts/texts are compared byte for byte as subjects and user names", "Identities/a user is found by the exact user name"},
	"trailing spaces cut":            {"Texts/texts are compared byte for byte as token ids and names", "Texts/texts are compared byte for byte as subjects and user names"},
	"invalid bytes replaced":         {"Texts/looking up any text is not an operational error"},
	"create keeps memory":            {"Aliasing/a created record is a copy"},
	"get shares memory":              {"Aliasing/a record from GetToken is a copy"},
	"list shares memory":             {"Aliasing/listed records are copies"},
	"change gets the store's memory": {"Aliasing/the record given to change is a copy", "UpdateToken/an error of change is returned unchanged and writes nothing"},
	"change leaves memory":           {"Aliasing/the record from change is a copy"},

	// Updates.
	"lost update":                    {"UpdateToken/2 concurrent writers lose nothing", "UpdateToken/10 concurrent writers lose nothing", "UpdateIdentity/10 concurrent writers lose nothing"},
	"late check of the limit":        {"UpdateToken/a usage limit admits exactly the limit"},
	"deleted token comes back":       {"UpdateToken/a deleted token does not come back"},
	"refused rename writes the rest": {"UpdateToken/a taken name is refused"},
	"rename keeps the old name":      {"UpdateToken/rename frees the old name and takes the new"},
	"failed update is written":       {"UpdateToken/an error of change is returned unchanged and writes nothing", "UpdateIdentity/an error of change is returned unchanged and writes nothing"},
	"key may change":                 {"UpdateToken/id subject creation time and parent never change"},
	"outcome not checked":            {"UpdateToken/an invalid outcome is refused"},
	"error of change wrapped":        {"UpdateToken/an error of change is returned unchanged and writes nothing"},
	"no change is a change":          {"UpdateToken/a nil change is refused"},

	// Listings.
	"order of ids only":             {"ListTokens/records are in the order of creation then id"},
	"ties in any order":             {"ListTokens/records are in the order of creation then id"},
	"newest first":                  {"ListTokens/records are in the order of creation then id"},
	"order of letters":              {"ListTokens/records are in the order of creation then id"},
	"page drops records":            {"ListTokens/pages of every size contain all records"},
	"page repeats records":          {"ListTokens/pages of every size contain all records"},
	"page too small":                {"ListTokens/pages of every size contain all records"},
	"cursor never ends":             {"ListTokens/pages of every size contain all records"},
	"cursor after the last page":    {"ListTokens/pages of every size contain all records"},
	"cursor needs its token":        {"ListTokens/a cursor is valid without a record at its position", "ListTokens/remaining records are listed once while others are created and deleted"},
	"beginning as a place":          {"ListTokens/records are in the order of creation then id"},
	"limit ignored":                 {"ListTokens/pages of every size contain all records"},
	"limit without bounds":          {"ListTokens/a page has the default and the largest size"},
	"name without subject accepted": {"ListTokens/a name without a subject is refused"},
	"names by prefix":               {"ListTokens/a name finds the token"},
	"unknown subject not found":     {"ListTokens/unknown subjects and names give an empty page"},

	// Ids and counts.
	"ids in reverse":                        {"ListTokenIDs/ids are in the order of the records"},
	"ids of everybody":                      {"ListTokenIDs/ids are those of the records for every query"},
	"ids ignore the name":                   {"ListTokenIDs/ids are those of the records for every query"},
	"ids ignore the cursor":                 {"ListTokenIDs/ids are those of the records for every query", "ListTokenIDs/pages of ids are those of the records"},
	"ids of one size":                       {"ListTokenIDs/a page of ids has the default and the largest size"},
	"ids of a name alone":                   {"ListTokenIDs/ids of a name without a subject are refused"},
	"ids without a cursor":                  {"ListTokenIDs/pages of ids are those of the records", "ListTokenIDs/remaining ids are listed once under concurrent writers"},
	"ids with a cursor after the last page": {"ListTokenIDs/pages of ids are those of the records"},
	"ids share memory":                      {"ListTokenIDs/listed ids are a copy"},
	"ids ignore their context":              {"Context/a canceled context stops every call"},
	"count ignores its context":             {"Context/an expired deadline stops every call"},
	"count of everybody":                    {"CountTokens/the tokens of the subject are counted"},
	"count of everybody for no subject":     {"CountTokens/the tokens of the subject are counted"},
	"count by id":                           {"CountTokens/the tokens of the subject are counted"},
	"count never falls":                     {"CountTokens/the tokens of the subject are counted"},
	"unknown subject not counted":           {"CountTokens/the tokens of the subject are counted"},
	"count leaves revoked tokens out":       {"CountTokens/a rename and a revocation do not change the count"},
	"count by a page":                       {"ListTokenIDs/a page of ids has the default and the largest size"},

	// Uses.
	"uses ignore their context":             {"Context/a canceled context stops every call"},
	"a use without an interface":            {"Uses/a use is found by the id of its token"},
	"unused tokens are left out":            {"Uses/a use is found by the id of its token"},
	"the last use recorded wins":            {"Uses/the later use is kept and the counts are added", "Uses/uses of one call are merged"},
	"the first use of a minute wins":        {"Uses/the later use is kept and the counts are added"},
	"the later time with the first address": {"Uses/the later use is kept and the counts are added"},
	"counts are replaced":                   {"Uses/the later use is kept and the counts are added", "Uses/uses of one call are merged"},
	"counts overflow":                       {"Uses/a count has a maximum"},
	"counts as floats":                      {"Uses/a count has a maximum"},
	"uses of unknown tokens kept":           {"Uses/a use of an unknown token is dropped", "Uses/an import drops the use of an unknown token"},
	"uses outlive their tokens":             {"Uses/a use is deleted with its token", "Uses/a use of a token that is deleted concurrently does not stay"},
	"invalid uses kept":                     {"Uses/an invalid use rejects the whole call"},
	"valid uses of a rejected call kept":    {"Uses/an invalid use rejects the whole call"},
	"uses in two steps":                     {"Uses/concurrent writers lose no use"},
	"uses are in the record":                {"Uses/a use changes no record and is not reported"},
	"import merges uses":                    {"Uses/an import replaces the use", "Archive/an import into a new store gives the same content"},
	"import drops uses":                     {"Uses/an import replaces the use", "Archive/an import into a new store gives the same content"},

	// Identities.
	"rights forgotten":            {"Identities/every field is kept", "Identities/rights are added and removed"},
	"rights share memory":         {"Aliasing/the rights of an identity are a copy"},
	"user names not unique":       {"Identities/the user name is unique", "UpdateIdentity/a taken user name is refused", "UpdateIdentity/concurrent changes to one user name: one wins"},
	"no user name is a name":      {"Identities/many identities may have no user name"},
	"tokens go with the identity": {"Identities/tokens and temporary secret outlive the identity"},

	// Capabilities that a naive store lacks.
	"scrub forgets":        {"Archive/a scrub keeps every record"},
	"no feed and no error": {"Watch/a feed starts with FeedUp and ends with the context"},
	"no feed and no end":   {"Watch/every kind of change is reported"},
}

// archiveFaults are the faults of a wrongArchive.
var archiveFaults = map[string][]string{
	"export forgets the position":      {"Archive/an export has every record once, page by page"},
	"export never ends":                {"Archive/an export has every record once, page by page"},
	"export ends early":                {"Archive/an export has every record once, page by page"},
	"export drops the last":            {"Archive/an export has every record once, page by page"},
	"export redacts":                   {"Archive/an export has every record once, page by page"},
	"export without generation":        {"Archive/an import into a new store gives the same content"},
	"export ignores the limit":         {"Archive/an export has every record once, page by page"},
	"export shares memory":             {"Aliasing/exported records are copies"},
	"import one by one":                {"Archive/an invalid record rejects the whole import", "Archive/an occupied name rejects the whole import"},
	"import keeps what is there":       {"Archive/an import replaces records with the same key"},
	"import adds to what is there":     {"Archive/an import replaces records with the same key"},
	"import counts generations itself": {"Archive/imported records work in all methods", "Archive/an import replaces records with the same key"},
	"import skips the invalid":         {"Archive/an invalid record rejects the whole import"},
	"import in the order given":        {"Archive/records may swap names"},
	"import keeps the first":           {"Archive/of records with the same key the last one counts"},
	"import shares memory":             {"Aliasing/imported records are copies"},
	"import keeps the generation":      {"Archive/of records with the same key the last one counts"},
	"generations begin again":          {"Archive/the last generation cannot be exceeded"},
}

// watcherFaults are the faults of a wrongWatcher.
var watcherFaults = map[string][]string{
	"feed outlives its context":      {"Watch/a feed starts with FeedUp and ends with the context"},
	"feed ends without an error":     {"Watch/a feed starts with FeedUp and ends with the context"},
	"feed without FeedUp":            {"Watch/a feed starts with FeedUp and ends with the context"},
	"feed without temporary secrets": {"Watch/every kind of change is reported"},
	"feed without identities":        {"Watch/every kind of change is reported"},
	"feed with another id":           {"Watch/every watcher is notified"},
	"feed for one watcher":           {"Watch/every watcher is notified"},
	"feed ahead of the write":        {"Watch/a change is reported when look-ups see it"},
	"writers wait for the observer":  {"Watch/a blocked observer does not block writers"},
	"feed for nobody":                {"Watch/a nil observer is refused"},
}

// replacerFaults are the faults of a wrongReplacer.
var replacerFaults = map[string][]string{
	"replace makes a key":                     {"ReplaceTemporarySecret/a secret other than the old one stays"},
	"replace does not ask for the old secret": {"ReplaceTemporarySecret/a secret other than the old one stays"},
	"replace rotates":                         {"ReplaceTemporarySecret/the secret is replaced and the generation stays"},
	"replace takes an empty secret":           {"ReplaceTemporarySecret/only users and oneproviders with a secret are accepted"},
	"replace in two steps": {
		"ReplaceTemporarySecret/of concurrent replacements one wins", "ReplaceTemporarySecret/a concurrent rotation is not undone",
	},
}

// guardFaults are the faults of a wrongGuard.
var guardFaults = map[string][]string{
	"guard asks nobody":                  {"ActiveHolders/nothing is written for any other subject"},
	"guard lets the missing pass":        {"ActiveHolders/nothing is written for any other subject"},
	"guard lets the blocked pass":        {"ActiveHolders/nothing is written for any other subject"},
	"guard asks by id":                   {"ActiveHolders/nothing is written for any other subject"},
	"guard asks for uniqueness first":    {"ActiveHolders/nothing is written for any other subject"},
	"guard writes nothing":               {"ActiveHolders/a token of an active subject is created"},
	"guard asks for the subject first":   {"ActiveHolders/an invalid record is refused whatever the subject is"},
	"guard overwrites":                   {"ActiveHolders/id and name are unique"},
	"guard answers with an error":        {"ActiveHolders/id and name are unique"},
	"guard creates before it is blocked": {"ActiveHolders/a subject that is blocked concurrently gets no more tokens"},
	"guard creates after it looked":      {"ActiveHolders/a listing after the subject was blocked has every token"},
	"guard takes any requirement":        {"ActiveHolders/no other requirement is accepted"},
	"guard tells what nobody asked":      {"TokenRecords/every field is kept"},
	"guard ignores its context":          {"Context/a canceled context stops every call"},
}

// closeFault is the fault of wrongCloser.
const closeFault = "close fails"

// withFault returns a function that opens stores with the fault.
func withFault(fault string) func(*testing.T) store.Store {
	return func(*testing.T) store.Store {
		switch {
		case archiveFaults[fault] != nil:
			return &wrongArchive{Store: memory.New(), fault: fault, exported: make(map[string]store.Token)}
		case watcherFaults[fault] != nil:
			return &wrongWatcher{Store: memory.New(), fault: fault}
		case replacerFaults[fault] != nil:
			return &wrongReplacer{Store: memory.New(), fault: fault}
		case guardFaults[fault] != nil:
			return &wrongGuard{Store: memory.New(), fault: fault}
		case fault == closeFault:
			return wrongCloser{memory.New()}
		}
		return newNaive(fault)
	}
}

// TestConformanceOfNaiveStore shows that a naive store without a fault passes.
// The suite also accepts everything that the contract leaves open: a store
// without a feed, and the variants.
func TestConformanceOfNaiveStore(t *testing.T) {
	t.Parallel()
	for _, variant := range []string{"plain", "change called twice", "no caveats become empty"} {
		t.Run(variant, func(t *testing.T) { storetest.Run(t, withFault(variant)) })
	}
}

// TestConformanceOfWrappers shows that the other stores for faults pass without
// a fault.
func TestConformanceOfWrappers(t *testing.T) {
	t.Parallel()
	t.Run("archive", func(t *testing.T) {
		storetest.Run(t, func(*testing.T) store.Store { return &wrongArchive{Store: memory.New()} })
	})
	t.Run("watcher", func(t *testing.T) {
		storetest.Run(t, func(*testing.T) store.Store { return &wrongWatcher{Store: memory.New()} })
	})
	t.Run("replacer", func(t *testing.T) {
		storetest.Run(t, func(*testing.T) store.Store { return &wrongReplacer{Store: memory.New()} })
	})
	t.Run("guard", func(t *testing.T) {
		storetest.Run(t, func(*testing.T) store.Store { return &wrongGuard{Store: memory.New()} })
	})
}

// TestFaultyStore is run by TestFaultsAreCaught in separate processes, where it
// must fail.
func TestFaultyStore(t *testing.T) {
	fault := os.Getenv(faultEnv)
	if fault == "" {
		t.Skip("this test fails intentionally; TestFaultsAreCaught runs it")
	}
	storetest.Run(t, withFault(fault))
}

func TestFaultsAreCaught(t *testing.T) {
	t.Parallel()
	faults := map[string][]string{closeFault: {"Keys/a named key agrees with the record"}}
	for _, more := range []map[string][]string{coreFaults, archiveFaults, watcherFaults, replacerFaults, guardFaults} {
		for fault, checks := range more {
			faults[fault] = checks
		}
	}
	for fault, checks := range faults {
		for _, check := range checks {
			t.Run(fault+" fails "+check, func(t *testing.T) {
				t.Parallel()
				requireCaught(t, fault, check)
			})
		}
	}
}

// requireCaught requires that one check fails for a store with the fault.
func requireCaught(t *testing.T, fault, check string) {
	t.Helper()
	limit := 16 * time.Second
	if watcherFaults[fault] != nil {
		limit = 6 * time.Second // checks of feeds wait for a part of it
	}
	faulty.Suite{Test: "TestFaultyStore", Env: faultEnv}.RequireCaught(t, fault, check, limit)
}
