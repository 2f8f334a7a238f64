package page

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"
	"time"
)

//go:embed assets
var assets embed.FS

// file is a file of the page.
type file struct {
	data, compressed []byte
	contentType      string
	etag             string
}

// contentTypes are the types of files by their suffixes.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml",
}

// files returns the files of the page by name. They are compressed once in a
// process.
var files = sync.OnceValue(func() map[string]file {
	list := map[string]file{}
	entries, err := fs.ReadDir(assets, "assets")
	if err != nil {
		panic(err) // the files are part of the program
	}
	for _, e := range entries {
		data, err := fs.ReadFile(assets, "assets/"+e.Name())
		if err != nil {
			panic(err)
		}
		sum := sha256.Sum256(data)
		list[e.Name()] = file{data, compressed(data), contentTypes[path.Ext(e.Name())], hex.EncodeToString(sum[:8])}
	}
	return list
})

func compressed(data []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // which is a level
	_, _ = w.Write(data)
	_ = w.Close()
	return b.Bytes()
}

// served returns the handler of a file. Browsers keep it, and ask each time
// whether it has changed, so that no page consists of files of two releases.
func served(name string) http.Handler {
	f := files()[name]
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Type", f.contentType)
		h.Set("Cache-Control", "no-cache")
		h.Add("Vary", "Accept-Encoding")
		data, etag := f.data, f.etag
		if acceptsGzip(r.Header.Values("Accept-Encoding")) {
			h.Set("Content-Encoding", "gzip")
			data, etag = f.compressed, f.etag+"-gzip"
		}
		h.Set("ETag", `"`+etag+`"`)
		http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(data))
	})
}

// acceptsGzip reports whether a response may be compressed with gzip.
func acceptsGzip(headers []string) bool {
	for _, each := range strings.Split(strings.Join(headers, ","), ",") {
		coding, quality, _ := strings.Cut(strings.TrimSpace(each), ";")
		if strings.EqualFold(strings.TrimSpace(coding), "gzip") {
			return strings.Trim(strings.TrimPrefix(strings.TrimSpace(quality), "q="), "0.") != "" || quality == ""
		}
	}
	return false
}
