// Ledgercheck checks a Bartizan ledger, and optionally a proof file, with code that others wrote: the signed
// notes and the tree arithmetic of Go's checksum database. It shares nothing with the Rust implementation but
// the specifications (c2sp.org/tlog-tiles, tlog-checkpoint, tlog-cosignature, tlog-proof).
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const width = 256

type vkeys []string

func (v *vkeys) String() string     { return strings.Join(*v, " ") }
func (v *vkeys) Set(s string) error { *v = append(*v, s); return nil }

func main() {
	var witnesses vkeys
	flag.Var(&witnesses, "witness", "`vkey` of a witness that must have cosigned the proof's checkpoint; repeatable")
	flag.Usage = func() {
		fmt.Fprintln(os.Stderr, "usage: ledgercheck [-witness VKEY]... LEDGER_DIR VKEY [PROOF]")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() < 2 || flag.NArg() > 3 {
		flag.Usage()
		os.Exit(2)
	}
	if err := run(flag.Arg(0), flag.Arg(1), flag.Arg(2), witnesses); err != nil {
		fmt.Fprintln(os.Stderr, "FAILED:", err)
		os.Exit(1)
	}
}

func run(dir, vkey, proofFile string, witnesses []string) error {
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return err
	}
	head, _, err := openCheckpoint(msg, vkey, nil)
	if err != nil {
		return fmt.Errorf("checkpoint: %w", err)
	}
	fmt.Printf("checkpoint: size %d, root %v, signed by %s\n", head.N, head.Hash, vkey)

	hashes, entries, err := readEntries(dir, head.N)
	if err != nil {
		return err
	}
	// The root of no entries is the hash of nothing (RFC 6962); older versions of tlog say otherwise.
	root := tlog.Hash(sha256.Sum256(nil))
	if head.N > 0 {
		if root, err = tlog.TreeHash(head.N, hashes); err != nil {
			return err
		}
	}
	if root != head.Hash {
		return fmt.Errorf("the entries hash to %v, the checkpoint says %v", root, head.Hash)
	}
	fmt.Printf("entries: %d hash to the root of the checkpoint\n", len(entries))

	count, err := checkTiles(dir, head.N, hashes)
	if err != nil {
		return err
	}
	fmt.Printf("tiles: %d hold the hashes of the entries\n", count)
	if err := checkGrowth(head, hashes); err != nil {
		return err
	}
	if proofFile == "" {
		return nil
	}
	return checkProof(proofFile, vkey, witnesses, head, hashes, entries)
}

// openCheckpoint verifies the log's signature and those of all witnesses; it returns what the note says, and
// the time of the earliest cosignature.
func openCheckpoint(msg []byte, vkey string, witnesses []string) (tlog.Tree, uint64, error) {
	var tree tlog.Tree
	log, err := note.NewVerifier(vkey)
	if err != nil {
		return tree, 0, fmt.Errorf("key %q: %w", vkey, err)
	}
	known := []note.Verifier{log}
	var cosigners []*cosigner
	for _, text := range witnesses {
		witness, err := newCosigner(text)
		if err != nil {
			return tree, 0, err
		}
		known, cosigners = append(known, witness), append(cosigners, witness)
	}
	opened, err := note.Open(msg, note.VerifierList(known...))
	if err != nil {
		return tree, 0, err
	}
	signed := false
	for _, sig := range opened.Sigs {
		signed = signed || sig.Name == log.Name() && sig.Hash == log.KeyHash()
	}
	if !signed {
		return tree, 0, errors.New("not signed by the log")
	}
	var earliest uint64
	for _, witness := range cosigners {
		if witness.time == 0 {
			return tree, 0, fmt.Errorf("not cosigned by %s", witness.name)
		}
		if earliest == 0 || witness.time < earliest {
			earliest = witness.time
		}
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) < 4 || lines[0] != log.Name() {
		return tree, 0, errors.New("not a checkpoint of this log")
	}
	tree.N, err = strconv.ParseInt(lines[1], 10, 64)
	if err != nil || tree.N < 0 || strconv.FormatInt(tree.N, 10) != lines[1] {
		return tree, 0, fmt.Errorf("size %q", lines[1])
	}
	tree.Hash, err = tlog.ParseHash(lines[2])
	return tree, earliest, err
}

// cosigner verifies cosignatures of type 0x04 and remembers the time in them.
type cosigner struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time uint64
}

func newCosigner(vkey string) (*cosigner, error) {
	parts := strings.SplitN(vkey, "+", 3)
	if len(parts) != 3 {
		return nil, fmt.Errorf("witness key %q", vkey)
	}
	key, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(key) != 33 || key[0] != 4 {
		return nil, fmt.Errorf("witness key %q is not of type 0x04", vkey)
	}
	sum := sha256.Sum256(append([]byte(parts[0]+"\n"), key...))
	if fmt.Sprintf("%x", sum[:4]) != parts[1] {
		return nil, fmt.Errorf("witness key %q has another id", vkey)
	}
	return &cosigner{name: parts[0], hash: binary.BigEndian.Uint32(sum[:4]), key: key[1:]}, nil
}

func (c *cosigner) Name() string    { return c.name }
func (c *cosigner) KeyHash() uint32 { return c.hash }

func (c *cosigner) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	c.time = binary.BigEndian.Uint64(sig)
	signed := fmt.Sprintf("cosignature/v1\ntime %d\n%s", c.time, msg)
	return ed25519.Verify(c.key, []byte(signed), sig[8:])
}

// storage holds hashes in the order of tlog.StoredHashIndex.
type storage []tlog.Hash

func (s *storage) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	out := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		if index < 0 || index >= int64(len(*s)) {
			return nil, fmt.Errorf("no hash %d", index)
		}
		out[i] = (*s)[index]
	}
	return out, nil
}

// tilePath is the path of tlog-tiles, which is not that of the checksum database.
func tilePath(level string, n int64, w int64) string {
	name := fmt.Sprintf("%03d", n%1000)
	for n >= 1000 {
		n /= 1000
		name = fmt.Sprintf("x%03d/%s", n%1000, name)
	}
	if w < width {
		name += fmt.Sprintf(".p/%d", w)
	}
	return "tile/" + level + "/" + name
}

// readEntries reads all entry bundles, and computes all hashes of the tree.
func readEntries(dir string, size int64) (*storage, [][]byte, error) {
	hashes, entries := new(storage), [][]byte{}
	for n := int64(0); n*width < size; n++ {
		w := size - n*width
		if w > width {
			w = width
		}
		path := tilePath("entries", n, w)
		bundle, err := os.ReadFile(filepath.Join(dir, path))
		if err != nil {
			return nil, nil, err
		}
		for i := int64(0); i < w; i++ {
			if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
				return nil, nil, fmt.Errorf("%s: ends within entry %d", path, i)
			}
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			entry := bundle[2:end]
			bundle = bundle[end:]
			more, err := tlog.StoredHashes(int64(len(entries)), entry, hashes)
			if err != nil {
				return nil, nil, err
			}
			*hashes, entries = append(*hashes, more...), append(entries, entry)
		}
		if len(bundle) != 0 {
			return nil, nil, fmt.Errorf("%s: %d bytes after the last entry", path, len(bundle))
		}
	}
	return hashes, entries, nil
}

// tileBytes are the bytes that the hash tile n of a level must have.
func tileBytes(hashes *storage, level int, n, w int64) ([]byte, error) {
	var out []byte
	for i := int64(0); i < w; i++ {
		index := tlog.StoredHashIndex(8*level, n*width+i)
		found, err := hashes.ReadHashes([]int64{index})
		if err != nil {
			return nil, err
		}
		out = append(out, found[0][:]...)
	}
	return out, nil
}

// checkTiles compares every hash tile that the tree needs, and then every file below tile/.
func checkTiles(dir string, size int64, hashes *storage) (int, error) {
	needed := map[string]bool{}
	for level, at := 0, size; at > 0; level, at = level+1, at/width {
		for n := int64(0); n*width < at; n++ {
			w := at - n*width
			if w > width {
				w = width
			}
			needed[tilePath(strconv.Itoa(level), n, w)] = true
			if level == 0 {
				needed[tilePath("entries", n, w)] = true
			}
		}
	}
	count := 0
	err := filepath.WalkDir(filepath.Join(dir, "tile"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		name = filepath.ToSlash(name)
		delete(needed, name)
		count++
		return checkTile(dir, name, size, hashes)
	})
	if err != nil && !(size == 0 && errors.Is(err, fs.ErrNotExist)) {
		return 0, err
	}
	for name := range needed {
		return 0, fmt.Errorf("%s is missing", name)
	}
	return count, nil
}

func checkTile(dir, name string, size int64, hashes *storage) error {
	level, rest, _ := strings.Cut(strings.TrimPrefix(name, "tile/"), "/")
	rest, widthText, partial := strings.Cut(rest, ".p/")
	w := int64(width)
	if partial {
		var err error
		if w, err = strconv.ParseInt(widthText, 10, 64); err != nil || w < 1 || w >= width {
			return fmt.Errorf("%s is not the path of a tile", name)
		}
	}
	n := int64(0)
	for _, part := range strings.Split(rest, "/") {
		digits, err := strconv.ParseInt(strings.TrimPrefix(part, "x"), 10, 64)
		if err != nil {
			return fmt.Errorf("%s is not the path of a tile", name)
		}
		n = n*1000 + digits
	}
	if tilePath(level, n, w) != name {
		return fmt.Errorf("%s is not the path of a tile", name)
	}
	got, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	if level == "entries" {
		return checkBundle(name, got, n, w, size, hashes)
	}
	l, err := strconv.Atoi(level)
	if err != nil {
		return fmt.Errorf("%s is not the path of a tile", name)
	}
	// size/256^l hashes of this level exist.
	at := size
	for i := 0; i < l; i++ {
		at /= width
	}
	if n*width+w > at {
		return fmt.Errorf("%s is beyond a tree of %d", name, size)
	}
	want, err := tileBytes(hashes, l, n, w)
	if err != nil {
		return err
	}
	if !bytes.Equal(got, want) {
		return fmt.Errorf("%s does not hold the hashes of the entries", name)
	}
	return nil
}

// checkBundle compares a bundle with the hashes; the needed ones were read before, older partial ones were not.
func checkBundle(name string, bundle []byte, n, w, size int64, hashes *storage) error {
	if n*width+w > size {
		return fmt.Errorf("%s is beyond a tree of %d", name, size)
	}
	for i := int64(0); i < w; i++ {
		if len(bundle) < 2 || len(bundle) < 2+int(binary.BigEndian.Uint16(bundle)) {
			return fmt.Errorf("%s ends within entry %d", name, i)
		}
		end := 2 + int(binary.BigEndian.Uint16(bundle))
		want, err := hashes.ReadHashes([]int64{tlog.StoredHashIndex(0, n*width+i)})
		if err != nil {
			return err
		}
		if tlog.RecordHash(bundle[2:end]) != want[0] {
			return fmt.Errorf("%s: entry %d is another one", name, i)
		}
		bundle = bundle[end:]
	}
	if len(bundle) != 0 {
		return fmt.Errorf("%s: %d bytes after the last entry", name, len(bundle))
	}
	return nil
}

// checkGrowth proves that the tree continues its own earlier sizes.
func checkGrowth(head tlog.Tree, hashes *storage) error {
	sizes := []int64{1, 2, 255, 256, 257, head.N / 3, head.N / 2, head.N - 1, head.N}
	for _, old := range sizes {
		if old < 1 || old > head.N {
			continue
		}
		if err := checkConsistency(head, old, hashes); err != nil {
			return err
		}
	}
	fmt.Println("consistency: the tree continues its earlier sizes")
	return nil
}

func checkConsistency(head tlog.Tree, old int64, hashes *storage) error {
	root, err := tlog.TreeHash(old, hashes)
	if err != nil {
		return err
	}
	proof, err := tlog.ProveTree(head.N, old, hashes)
	if err != nil {
		return err
	}
	if err := tlog.CheckTree(proof, head.N, head.Hash, old, root); err != nil {
		return fmt.Errorf("size %d: %w", old, err)
	}
	return nil
}

// checkProof verifies a proof file (c2sp.org/tlog-proof@v1) for the entry that the ledger has at its index, and
// that the ledger continues the tree of the proof's checkpoint.
func checkProof(file, vkey string, witnesses []string, head tlog.Tree, hashes *storage, entries [][]byte) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	proofPart, checkpoint, found := strings.Cut(string(text), "\n\n")
	lines := strings.Split(proofPart, "\n")
	if !found || lines[0] != "c2sp.org/tlog-proof@v1" {
		return errors.New("not a proof file")
	}
	lines = lines[1:]
	if len(lines) > 0 && strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	if len(lines) == 0 || !strings.HasPrefix(lines[0], "index ") {
		return errors.New("the proof has no index")
	}
	index, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "index "), 10, 64)
	if err != nil || index < 0 || index >= int64(len(entries)) {
		return fmt.Errorf("the proof is for %q, which the ledger does not have", lines[0])
	}
	var proof tlog.RecordProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return err
		}
		proof = append(proof, hash)
	}
	tree, at, err := openCheckpoint([]byte(checkpoint), vkey, witnesses)
	if err != nil {
		return fmt.Errorf("the proof's checkpoint: %w", err)
	}
	if err := tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entries[index])); err != nil {
		return err
	}
	if tree.N > head.N {
		return fmt.Errorf("the proof's tree of %d is larger than the ledger of %d", tree.N, head.N)
	}
	root, err := tlog.TreeHash(tree.N, hashes)
	if err != nil {
		return err
	}
	if root != tree.Hash {
		return errors.New("the ledger does not continue the tree of the proof")
	}
	if err := checkConsistency(head, tree.N, hashes); err != nil {
		return err
	}
	fmt.Printf("proof: entry %d is in the tree of %d, which the ledger continues\n", index, tree.N)
	if at > 0 {
		fmt.Printf("proof: cosigned by all %d witnesses, first at %d\n", len(witnesses), at)
	}
	return nil
}
