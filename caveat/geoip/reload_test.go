package geoip_test

import (
	"net/netip"
	"os"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/onezone-go/onezone/caveat/geoip"
	"github.com/onezone-go/onezone/internal/testing/mmdb"
	"github.com/onezone-go/onezone/internal/testing/syncbuffer"
)

// moved is a newer database of places.
func moved() []byte {
	return mmdb.Write("GeoLite2-Country", map[string]mmdb.Map{"192.0.2.0/24": mmdb.Place("DE", "EU", true)})
}

func country(t testing.TB, r *geoip.Resolver) string {
	t.Helper()
	at, err := r.Place(t.Context(), warsaw)
	require.NoError(t, err)
	return at.Country
}

func TestReloadOfAReplacedFile(t *testing.T) {
	r, paths := open(t, placesFile(), systemsFile())
	write(t, paths[0], moved())
	require.Equal(t, "PL", country(t, r))
	require.NoError(t, r.Reload())
	require.Equal(t, "DE", country(t, r))
	number, err := r.ASN(t.Context(), warsaw)
	require.NoError(t, err)
	require.EqualValues(t, 64496, number)
}

// Programs that copy files, such as rsync, keep the time of the original.
func TestReloadOfAFileOfTheSameSizeAndTime(t *testing.T) {
	r, paths := open(t, moved())
	before, err := os.Stat(paths[0])
	require.NoError(t, err)
	write(t, paths[0], mmdb.Write("GeoLite2-Country", map[string]mmdb.Map{"192.0.2.0/24": mmdb.Place("FR", "EU", true)}))
	require.NoError(t, os.Chtimes(paths[0], time.Time{}, before.ModTime()))
	after, err := os.Stat(paths[0])
	require.NoError(t, err)
	require.Equal(t, before.Size(), after.Size())
	require.NoError(t, r.Reload())
	require.Equal(t, "FR", country(t, r))
}

// An update in place is loaded too, once it is complete, even if the clock of the
// file system is too coarse to tell.
func TestReloadOfAFileWrittenInPlace(t *testing.T) {
	r, paths := open(t, placesFile())
	whole := moved()
	f, err := os.OpenFile(paths[0], os.O_WRONLY|os.O_TRUNC, 0)
	require.NoError(t, err)
	defer func() { require.NoError(t, f.Close()) }()
	info, err := f.Stat()
	require.NoError(t, err)
	for _, part := range [][]byte{whole[:10], whole[10 : len(whole)-30]} {
		_, err = f.Write(part)
		require.NoError(t, err)
		require.NoError(t, os.Chtimes(paths[0], time.Time{}, info.ModTime()))
		require.Error(t, r.Reload())
		require.Equal(t, "PL", country(t, r))
	}
	_, err = f.Write(whole[len(whole)-30:])
	require.NoError(t, err)
	require.NoError(t, os.Chtimes(paths[0], time.Time{}, info.ModTime()))
	require.NoError(t, r.Reload())
	require.Equal(t, "DE", country(t, r))
}

// A file that is read while it is written may mix old and new content. It is
// not used.
func TestReloadDuringAnUpdateInPlace(t *testing.T) {
	r, paths := open(t, placesFile())
	f, err := os.OpenFile(paths[0], os.O_WRONLY, 0)
	require.NoError(t, err)
	done := make(chan struct{})
	var writer sync.WaitGroup
	writer.Go(func() {
		for content := placesFile(); ; {
			select {
			case <-done:
				return
			default:
				_, _ = f.WriteAt(content, 0)
			}
		}
	})
	eventually(t, func() bool {
		err := r.Reload()
		return err != nil && strings.Contains(err.Error(), "the file changed while it was read")
	})
	close(done)
	writer.Wait()
	require.NoError(t, f.Close())
	eventually(t, func() bool { return r.Reload() == nil }) // the clock of the file system is coarse
}

func TestABadFileKeepsTheOldOne(t *testing.T) {
	good := placesFile()
	small := mmdb.Write("GeoLite2-Country", map[string]mmdb.Map{"192.0.2.0/24": mmdb.Place("pl", "EU", true)})
	for name, c := range map[string]struct {
		content []byte
		want    string
	}{
		"empty":            {nil, "invalid MaxMind DB file"},
		"an error page":    {[]byte("<html>"), "invalid MaxMind DB file"},
		"cut":              {good[:len(good)/2], "invalid MaxMind DB file"},
		"other content":    {systemsFile(), "the new file has autonomous systems instead of places"},
		"malformed record": {small, "not a code of two capital letters"},
		"missing":          {nil, "no such file"},
		"a directory":      {nil, "not a regular file"},
	} {
		t.Run(name, func(t *testing.T) {
			r, paths := open(t, good)
			switch name {
			case "missing", "a directory":
				require.NoError(t, os.Remove(paths[0]))
			default:
				write(t, paths[0], c.content)
			}
			if name == "a directory" {
				require.NoError(t, os.Mkdir(paths[0], 0o700))
			}
			for range 2 { // as long as the file is bad
				err := r.Reload()
				require.ErrorContains(t, err, c.want)
				require.ErrorContains(t, err, paths[0])
				require.Equal(t, "PL", country(t, r))
			}
			if name == "a directory" {
				require.NoError(t, os.Remove(paths[0]))
			}
			write(t, paths[0], moved())
			require.NoError(t, r.Reload())
			require.Equal(t, "DE", country(t, r))
		})
	}
}

// A bad file is logged once, and a changed file is loaded by the checks alone.
func TestChecks(t *testing.T) {
	var log syncbuffer.Buffer
	r, paths := openWith(t, geoip.Options{CheckInterval: time.Millisecond, Logger: log.Logger()}, placesFile(), systemsFile())
	write(t, paths[0], []byte("garbage"))
	eventually(t, func() bool { return strings.Contains(log.String(), "cannot be loaded") })
	require.Equal(t, "PL", country(t, r))
	require.NoError(t, os.Remove(paths[1]))
	eventually(t, func() bool { return strings.Contains(log.String(), "no such file") })
	write(t, paths[0], moved())
	eventually(t, func() bool { return country(t, r) == "DE" })
	eventually(t, func() bool { return strings.Contains(log.String(), "was loaded") })
	require.NoError(t, r.Close())
	require.Equal(t, 2, strings.Count(log.String(), "level=WARN"), log.String())
	require.Equal(t, 1, strings.Count(log.String(), "level=INFO"), log.String())
	require.Contains(t, log.String(), `built=2023-11-14T22:13:20.000Z`)
	require.Contains(t, log.String(), paths[0])
}

func TestCloseStopsTheChecks(t *testing.T) {
	before := runtime.NumGoroutine()
	r, paths := openWith(t, geoip.Options{CheckInterval: time.Millisecond}, placesFile())
	require.NoError(t, r.Close())
	require.NoError(t, r.Close())
	require.LessOrEqual(t, runtime.NumGoroutine(), before)
	require.Equal(t, "PL", country(t, r))
	write(t, paths[0], moved())
	require.ErrorContains(t, r.Reload(), "the resolver is closed")
	require.Equal(t, "PL", country(t, r))
}

// Each look-up is answered wholly from one version of the file.
func TestLookUpsDuringReloads(t *testing.T) {
	r, paths := open(t, placesFile())
	done := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				at, err := r.Place(t.Context(), warsaw)
				if err != nil || at.Country != "PL" && at.Country != "DE" {
					t.Errorf("%v, %v", at, err)
					return
				}
				_, err = r.Place(t.Context(), netip.Addr{})
				if err == nil {
					t.Error("no error")
					return
				}
			}
		})
	}
	versions := [][]byte{moved(), []byte("garbage"), placesFile()}
	for i := range 60 {
		write(t, paths[0], versions[i%len(versions)])
		_ = r.Reload()
	}
	close(done)
	readers.Wait()
	require.Equal(t, "PL", country(t, r))
}
