// Package geoip decides caveats about countries, regions and autonomous systems
// with the database files of MaxMind.
//
// [Open] returns a [Resolver], a [github.com/onezone-go/onezone/caveat.GeoResolver]
// for macaroon.WithGeo. It takes one file of places (GeoLite2-Country,
// GeoLite2-City or the same of GeoIP2), one file of autonomous systems
// (GeoLite2-ASN or GeoIP2-ISP), or both.
//
// Whatever the files do not say is an error, so that no caveat about the address
// holds, whether it lists countries that may use the token or countries that may
// not. The country is where the address is, not where it is registered.
//
// A file that is replaced is loaded without interrupting look-ups. If the new
// file cannot be used, the old content stays, and the problem is logged.
package geoip
