// Checks a Bartizan ledger with Go's own transparency-log packages, which share no code with it: the checkpoint's
// signature, the root over all entries, every full hash tile, consistency with each earlier size, and the
// inclusion of the first, a middle and the last entry.
package main

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func fail(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "FAILED: "+format+"\n", args...)
	os.Exit(1)
}

// tilePath is the path of a tile in the C2SP tlog-tiles layout, which is not that of sumdb.
func tilePath(dir, level string, index, width int) string {
	name := fmt.Sprintf("%03d", index%1000)
	for index >= 1000 {
		index /= 1000
		name = fmt.Sprintf("x%03d/%s", index%1000, name)
	}
	path := filepath.Join(dir, "tile", level, name)
	if width < 256 {
		path += fmt.Sprintf(".p/%d", width)
	}
	return path
}

// least of two numbers; Go has a built-in for it only since 1.21.
func least(a, b int) int {
	if a < b {
		return a
	}
	return b
}

func main() {
	if len(os.Args) != 3 {
		fail("usage: check LEDGER_DIR VKEY")
	}
	dir, vkey := os.Args[1], os.Args[2]
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		fail("verifier key: %v", err)
	}
	signed, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		fail("%v", err)
	}
	opened, err := note.Open(signed, note.VerifierList(verifier))
	if err != nil {
		fail("checkpoint: %v", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 3 || lines[0] != verifier.Name() {
		fail("the checkpoint is not one of %s", verifier.Name())
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		fail("tree size: %v", err)
	}
	raw, err := base64.StdEncoding.DecodeString(lines[2])
	if err != nil || len(raw) != tlog.HashSize {
		fail("root hash: %v", err)
	}
	var root tlog.Hash
	copy(root[:], raw)

	var hashes []tlog.Hash
	reader := tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = hashes[index]
		}
		return found, nil
	})
	var leaves []tlog.Hash
	for n := int64(0); n < size; {
		width := least(256, int(size-n))
		data, err := os.ReadFile(tilePath(dir, "entries", int(n/256), width))
		if err != nil {
			fail("%v", err)
		}
		for i := 0; i < width; i++ {
			if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
				fail("bundle %d is cut off at entry %d", n/256, i)
			}
			length := int(binary.BigEndian.Uint16(data))
			leaf := tlog.RecordHash(data[2 : 2+length])
			data = data[2+length:]
			stored, err := tlog.StoredHashesForRecordHash(n+int64(i), leaf, reader)
			if err != nil {
				fail("entry %d: %v", n+int64(i), err)
			}
			leaves = append(leaves, leaf)
			hashes = append(hashes, stored...)
		}
		if len(data) != 0 {
			fail("bundle %d has %d bytes too many", n/256, len(data))
		}
		n += int64(width)
	}
	computed, err := tlog.TreeHash(size, reader)
	if err != nil || computed != root {
		fail("the entries hash to %v, the checkpoint says %v (%v)", computed, root, err)
	}
	for n := 0; n < len(leaves); n += 256 {
		width := least(256, len(leaves)-n)
		tile, err := os.ReadFile(tilePath(dir, "0", n/256, width))
		if err != nil {
			fail("%v", err)
		}
		if len(tile) != width*tlog.HashSize {
			fail("tile %d has %d bytes", n/256, len(tile))
		}
		for i := 0; i < width; i++ {
			if string(tile[i*tlog.HashSize:(i+1)*tlog.HashSize]) != string(leaves[n+i][:]) {
				fail("tile %d holds another hash for entry %d", n/256, n+i)
			}
		}
	}
	for _, n := range []int64{0, size / 2, size - 1} {
		proof, err := tlog.ProveRecord(size, n, reader)
		if err != nil {
			fail("entry %d: %v", n, err)
		}
		if err := tlog.CheckRecord(proof, size, root, n, leaves[n]); err != nil {
			fail("entry %d: %v", n, err)
		}
	}
	for earlier := int64(1); earlier <= size; earlier++ {
		old, err := tlog.TreeHash(earlier, reader)
		if err != nil {
			fail("tree of %d: %v", earlier, err)
		}
		proof, err := tlog.ProveTree(size, earlier, reader)
		if err != nil {
			fail("tree of %d: %v", earlier, err)
		}
		if err := tlog.CheckTree(proof, size, root, earlier, old); err != nil {
			fail("tree of %d: %v", earlier, err)
		}
	}
	fmt.Printf("Go agrees: %s, %d entries, root %v\n", verifier.Name(), size, root)
}
