// Package macaroonrequest answers "application/macaroon-request" with Onezone
// tokens, as dCache, XRootD and EOS answer it with macaroons of their own.
// Programs of the grid, such as gfal2, then get tokens for the files of a
// service without knowing Onezone.
//
// A client posts what the token may be used for to the path of a file or
// directory:
//
//	POST /space1/results HTTP/1.1
//	Content-Type: application/macaroon-request
//
//	{"caveats": ["activity:DOWNLOAD,LIST"], "validity": "PT1H"}
//
// [New] returns the handler. It goes behind rest.Authenticate with the option
// rest.AllowDataCaveats, on the paths at which the service serves its files. The
// service must enforce the caveats of the tokens with rest.Client.CheckFile.
//
// # Caveats
//
// The members of the request become caveats of Onezone:
//
//   - the path of the request, and "path:" relative to it: data.path. A path is
//     /SPACE/NAME/...; a request to / is for all files;
//   - "activity:DOWNLOAD,LIST": data.readonly. READ_METADATA is implied;
//   - "activity:DOWNLOAD,LIST,UPLOAD,DELETE,MANAGE": none. UPDATE_METADATA is
//     implied, because whoever may replace a file can set its metadata;
//   - "ip:192.0.2.0/24,198.51.100.7": ip;
//   - the earliest of "validity" and "before:2026-12-24T18:00:00Z": time.
//
// A token never allows more than the request asked for. What Onezone cannot
// express is answered with 400 and the reason: other sets of activities, such
// as UPLOAD without DOWNLOAD, IPv6 addresses, and "root:", "home:", "id:",
// "max-upload:" and all other caveats. A request without a "path:", "activity:"
// or "ip:" caveat is for a token without the caveat.
//
// # Tokens
//
// A client that authenticated with a token gets a copy of that token with the
// caveats added. So it keeps all its caveats, and is revoked with it. A client
// that authenticated in another way gets a temporary token.
//
// The discovery of an OAuth token endpoint is not supported: clients that
// look for one and fail send the request above.
package macaroonrequest
