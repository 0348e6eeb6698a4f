#!/usr/bin/env bash
# Exchanges OpenSSF Model Signing bundles with the Python tool `model-signing`, both ways, and tries to fool both.
# Usage: .ci/oms/interop.sh [VENV_PYTHON]
#   VENV_PYTHON: the python of an environment that has `model-signing` (1.0 or newer) and `pyOpenSSL`;
#   without it the python3 of the search path.
# Needs openssl, and cargo unless OMS_EXAMPLE names the built example `oms`.
set -euo pipefail

# Not resolved through symbolic links: an environment's python is one, and is known by its place.
python=$(realpath --no-symlinks "${1:-$(command -v python3)}")
here=$(cd "$(dirname "$0")" && pwd)
repo=$(cd "$here/../.." && pwd)

if [ -z "${OMS_EXAMPLE:-}" ]; then
    target=$(cd "$repo" && cargo metadata --format-version 1 --no-deps |
        "$python" -c 'import json, sys; print(json.load(sys.stdin)["target_directory"])')
    (cd "$repo" && cargo build --quiet --package bartizan-keys --example oms)
    OMS_EXAMPLE=$target/debug/examples/oms
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failures=0
checks=0

tool() { "$python" -m model_signing "$@"; }
ours() { "$OMS_EXAMPLE" "$@"; }

# accept NAME COMMAND...: the command must succeed.
accept() {
    checks=$((checks + 1))
    local name=$1
    shift
    if "$@" >out 2>&1; then
        echo "ok      $name"
    else
        echo "FAILED  $name: refused: $(tail -n 1 out)"
        failures=$((failures + 1))
    fi
}

# refuse NAME PATTERN COMMAND...: the command must fail, and say PATTERN.
refuse() {
    checks=$((checks + 1))
    local name=$1 pattern=$2
    shift 2
    if "$@" >out 2>&1; then
        echo "FAILED  $name: accepted"
        failures=$((failures + 1))
    elif ! grep --quiet --ignore-case --extended-regexp "$pattern" out; then
        echo "FAILED  $name: refused, but not because of '$pattern': $(tail -n 1 out)"
        failures=$((failures + 1))
    else
        echo "ok      $name"
    fi
}

# A model with nested folders, names that sort differently as text and as paths, an empty file, names with spaces
# and outside ASCII, equal files, and what the tool ignores by default.
model() {
    mkdir -p "$1/a/x" "$1/.git/objects" "$1/.github" "$1/cache/deep"
    printf 'weights' >"$1/a/b"
    printf 'weights' >"$1/a.b"
    printf 'tokens' >"$1/a/x/y"
    printf '' >"$1/empty"
    printf 'vocabulary' >"$1/sp ace é 模型.txt"
    printf 'A' >"$1/Z"
    printf 'config' >"$1/config.json"
    printf 'ref' >"$1/.git/HEAD"
    printf 'object' >"$1/.git/objects/0"
    printf 'x' >"$1/.gitignore"
    printf 'x' >"$1/.github/workflow"
    printf 'tmp' >"$1/cache/deep/tmp"
    head -c 3000000 /dev/urandom >"$1/large.bin"
}

for name in right wrong; do
    openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out $name.pem
    openssl pkey -in $name.pem -pubout -out $name.pub
done
openssl genpkey -quiet -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out p384.pem
openssl pkey -in p384.pem -pubout -out p384.pub

model m
tool_verify() { tool verify key "$1" --signature "$2" --public_key "$3" "${@:4}"; }

echo "# signed here, verified by model-signing $("$python" -c 'import model_signing; print(model_signing.__version__)')"
accept "sign" ours sign m right.pem ours.sig cache
accept "tool verifies" tool_verify m ours.sig right.pub
accept "we verify our own" ours verify m right.pub ours.sig
accept "sign into the model's directory" ours sign m right.pem m/model.sig cache
accept "tool verifies beside the model" tool_verify m m/model.sig right.pub
accept "we verify beside the model" ours verify m right.pub m/model.sig
refuse "tool refuses the wrong key" "mismatch|invalid" tool_verify m ours.sig wrong.pub
rm m/model.sig

echo "# signed by model-signing, verified here"
accept "tool signs" tool sign key m --private_key right.pem --signature theirs.sig --ignore-paths m/cache
accept "we verify" ours verify m right.pub theirs.sig
accept "tool signs into the model's directory" \
    tool sign key m --private_key right.pem --signature m/model.sig --ignore-paths m/cache
accept "we verify beside the model" ours verify m right.pub m/model.sig
rm m/model.sig
accept "tool signs with git files" \
    tool sign key m --private_key right.pem --signature git.sig --no-ignore-git-paths
accept "we verify with git files" ours verify m right.pub git.sig
refuse "we refuse the wrong key" "names another key" ours verify m wrong.pub theirs.sig

echo "# equal statements: the same files in the same order give the same root"
root() {
    "$python" -c '
import base64, json, sys
statement = json.loads(base64.b64decode(json.load(open(sys.argv[1]))["dsseEnvelope"]["payload"]))
print(statement["subject"][0]["digest"]["sha256"])
if sys.argv[2] == "files":
    print([resource["name"] for resource in statement["predicate"]["resources"]])' "$1" "$2"
}
accept "same root and order" test "$(root ours.sig files)" = "$(root theirs.sig files)"

echo "# changed models"
for sig in ours.sig theirs.sig; do
    try() {
        refuse "$sig: tool: $1" "$2" tool_verify "$3" $sig right.pub
        refuse "$sig: we: $1" "model differs" ours verify "$3" right.pub $sig
    }
    # Every case starts from a copy; its directory has the same name, though names are informative only.
    case_dir() {
        rm -rf case
        mkdir case
        cp -r m case/m
    }
    case_dir
    printf '\x01' | dd of=case/m/large.bin bs=1 seek=1500000 conv=notrunc status=none
    cmp --silent m/large.bin case/m/large.bin && printf '\x02' |
        dd of=case/m/large.bin bs=1 seek=1500000 conv=notrunc status=none
    try "flipped byte" "hash mismatch" case/m
    case_dir
    printf 'more' >case/m/a/x/extra
    try "extra file" "extra files" case/m
    case_dir
    rm case/m/empty
    try "missing file" "missing files" case/m
    case_dir
    mv case/m/a.b case/m/a.c
    try "renamed file" "extra files" case/m
    case_dir
    printf 'other' >case/m/cache/deep/tmp
    accept "$sig: tool: a changed ignored file changes nothing" tool_verify case/m $sig right.pub
    accept "$sig: we: a changed ignored file changes nothing" ours verify case/m right.pub $sig
    case_dir
    ln -s Z case/m/link
    refuse "$sig: tool: symbolic link" "symlink" tool_verify case/m $sig right.pub
    refuse "$sig: we: symbolic link" "neither a file nor a directory" ours verify case/m right.pub $sig
done

echo "# changed bundles"
# change FROM TO PYTHON: edits the bundle `b`; `s` is its statement, written back when it was changed.
change() {
    "$python" - "$1" "$2" "$3" <<'EOF'
import base64, json, sys
source, target, code = sys.argv[1:]
b = json.load(open(source))
s = json.loads(base64.b64decode(b["dsseEnvelope"]["payload"]))
before = json.dumps(s)
exec(code)
if json.dumps(s) != before:
    b["dsseEnvelope"]["payload"] = base64.b64encode(json.dumps(s).encode()).decode()
json.dump(b, open(target, "w"))
EOF
}
change theirs.sig bad.sig 's["predicate"]["resources"][0]["name"] = "a/c"'
refuse "tool: edited statement" "verification failed" tool_verify m bad.sig right.pub
refuse "we: edited statement" "does not verify" ours verify m right.pub bad.sig
change theirs.sig bad.sig 'b["dsseEnvelope"]["payloadType"] = "text/plain"'
refuse "tool: other payload type" "payload" tool_verify m bad.sig right.pub
refuse "we: other payload type" "payload type" ours verify m right.pub bad.sig
change theirs.sig bad.sig 'b["mediaType"] = "application/vnd.dev.sigstore.bundle.v0.2+json"'
refuse "tool: other media type" "media.?type|literal_error" tool_verify m bad.sig right.pub
refuse "we: other media type" "media type" ours verify m right.pub bad.sig
change theirs.sig bad.sig 'b["verificationMaterial"]["publicKey"]["hint"] = "00" * 32'
refuse "tool: other hint" "mismatch" tool_verify m bad.sig right.pub
refuse "we: other hint" "names another key" ours verify m right.pub bad.sig
change theirs.sig bad.sig 'b["dsseEnvelope"]["signatures"] *= 2'
refuse "we: two signatures" "2 signatures" ours verify m right.pub bad.sig
sed 's/"mediaType"/"mediaType":"x","mediaType"/' theirs.sig >bad.sig
refuse "we: repeated member" "repeated" ours verify m right.pub bad.sig

echo "# kinds of bundle that are not supported here, refused by name"
api() { "$python" -c "
import model_signing
hashing = model_signing.hashing.Config()
$1
model_signing.signing.Config().use_elliptic_key_signer(private_key='right.pem').set_hashing_config(hashing).sign('$2', '$3')"; }
accept "tool signs shards" api "hashing.use_shard_serialization()" m shards.sig
refuse "we refuse shards" "serialization .shards. with .sha256. is not supported" ours verify m right.pub shards.sig
accept "tool signs with blake2" api "hashing.use_file_serialization(hashing_algorithm='blake2')" m blake2.sig
refuse "we refuse blake2" "with .blake2b?. is not supported" ours verify m right.pub blake2.sig
accept "tool signs a single file" tool sign key m/Z --private_key right.pem --signature single.sig
refuse "we refuse a single file" "single file" ours verify m right.pub single.sig
accept "tool signs with P-384" tool sign key m --private_key p384.pem --signature p384.sig
refuse "we refuse P-384" "public key" ours verify m p384.pub p384.sig

echo "# trees that share one root: equal digests in the same order, whatever the names"
rm -rf one two
mkdir -p one/m two/m
printf 'x' >one/m/first
printf 'y' >one/m/second
printf 'x' >two/m/1
printf 'y' >two/m/2
accept "tool signs one" tool sign key one/m --private_key right.pem --signature one.sig
accept "tool signs two" tool sign key two/m --private_key right.pem --signature two.sig
accept "their roots are equal" test "$(root one.sig root)" = "$(root two.sig root)"
refuse "tool tells them apart by the list of files" "extra files" tool_verify two/m one.sig right.pub
refuse "we tell them apart by the list of files" "model differs" ours verify two/m right.pub one.sig

echo "$((checks - failures)) of $checks checks passed"
[ "$failures" -eq 0 ]
