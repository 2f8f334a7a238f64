package errors_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/onezone-go/onezone/errors"
)

func Example() {
	rename := func(name any) error {
		if _, ok := name.(string); !ok {
			return errors.BadValueString("name")
		}
		return nil
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if e := errors.From(rename(5)); e != nil {
			w.WriteHeader(e.HTTPStatus())
			json.NewEncoder(w).Encode(errors.Envelope{Error: e})
		}
	})

	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest("PATCH", "/", nil))
	fmt.Print(answer.Code, " ", answer.Body)
	// Output:
	// 400 {"error":{"id":"badValueString","details":{"key":"name"},"description":"Bad value: provided \"name\" must be a string."}}
}

func ExampleIs() {
	err := fmt.Errorf("authenticate: %w", errors.Unauthorized(errors.TokenRevoked()))
	fmt.Println(errors.Is(err, errors.IDUnauthorized), errors.Is(err, errors.IDTokenRevoked), errors.Is(err, errors.IDTokenInvalid))
	// Output: true true false
}

func ExampleError_HTTPStatus() {
	revoked := errors.TokenRevoked()
	fmt.Println(revoked.HTTPStatus(), errors.Unauthorized(revoked).HTTPStatus())
	// Output: 400 401
}

func ExampleError_UnmarshalJSON() {
	var body errors.Envelope
	const answer = `{"error":{"id":"brandNew","details":{"x":1},"description":"Something new went wrong."}}`
	if err := json.Unmarshal([]byte(answer), &body); err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(body.Error, body.Error.HTTPStatus())

	again, err := json.Marshal(body)
	fmt.Println(string(again) == answer, err)
	// Output:
	// brandNew: Something new went wrong. 500
	// true <nil>
}

func ExampleError_WithCause() {
	caveat := map[string]any{"type": "geo.country", "filter": "whitelist", "list": []string{"PL"}}
	err := errors.TokenCaveatUnverified(caveat, "the client must connect from PL").WithCause(io.ErrUnexpectedEOF)
	fmt.Println(err)
	fmt.Println(errors.Is(err, io.ErrUnexpectedEOF))
	// Output:
	// tokenCaveatUnverified: The token is not valid here because of a caveat: the client must connect from PL.
	// true
}

func ExampleFrom() {
	fmt.Println(errors.From(fmt.Errorf("create the token: %w", errors.BadValueIdentifierOccupied("name"))))
	fmt.Println(errors.From(fmt.Errorf("create the token: %w", io.ErrUnexpectedEOF)))
	// Output:
	// badValueIdentifierOccupied: Bad value: provided "name" is taken already, choose another one.
	// internalServerError: The server failed to process the request. If it happens again, report it to the administrators.
}
