"""Exchanges encrypted streams with Tink, both ways, and checks that Tink refuses what was changed.

Usage: VENV_PYTHON .ci/tink/interop.py [STREAM_EXAMPLE]

VENV_PYTHON has the package `tink`. STREAM_EXAMPLE is the built example `stream` of `bartizan-keys`; without it
the example is built with cargo first.
"""

import io
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import tink
from tink import secret_key_access, streaming_aead
from tink.proto import aes_gcm_hkdf_streaming_pb2, common_pb2, tink_pb2

SEGMENT = 1 << 20
HEADER = 40
TAG = 16
FIRST = SEGMENT - TAG - HEADER
NEXT = SEGMENT - TAG
AAD = b"bartizan-encrypted-stream-v1\nprj_x\nart_y\n"

SIZES = [
    0, 1, 15, 16, 17, 4096,
    FIRST - 1, FIRST, FIRST + 1,
    FIRST + NEXT - 1, FIRST + NEXT, FIRST + NEXT + 1,
    3 * SEGMENT + 12345,
]


def build() -> pathlib.Path:
    repo = pathlib.Path(__file__).resolve().parents[2]
    run = ["cargo", "build", "--quiet", "--package", "bartizan-keys", "--example", "stream"]
    subprocess.run(run, cwd=repo, check=True)
    metadata = ["cargo", "metadata", "--format-version", "1", "--no-deps"]
    output = subprocess.run(metadata, cwd=repo, check=True, capture_output=True).stdout
    return pathlib.Path(json.loads(output)["target_directory"]) / "debug" / "examples" / "stream"


def primitive(key: bytes) -> streaming_aead.StreamingAead:
    """Tink's own cipher for the layout that docs/formats/encrypted-stream.md names."""
    parameters = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingParams(
        ciphertext_segment_size=SEGMENT, derived_key_size=32, hkdf_hash_type=common_pb2.SHA256
    )
    value = aes_gcm_hkdf_streaming_pb2.AesGcmHkdfStreamingKey(version=0, params=parameters, key_value=key)
    data = tink_pb2.KeyData(
        type_url="type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey",
        value=value.SerializeToString(),
        key_material_type=tink_pb2.KeyData.SYMMETRIC,
    )
    entry = tink_pb2.Keyset.Key(
        key_data=data, status=tink_pb2.ENABLED, key_id=1, output_prefix_type=tink_pb2.RAW
    )
    keyset = tink_pb2.Keyset(primary_key_id=1, key=[entry])
    handle = tink.proto_keyset_format.parse(keyset.SerializeToString(), secret_key_access.TOKEN)
    return handle.primitive(streaming_aead.StreamingAead)


class Sink(io.BytesIO):
    """Keeps its bytes when Tink closes it."""

    def close(self) -> None:
        self.kept = self.getvalue()
        super().close()


def tink_encrypt(cipher: streaming_aead.StreamingAead, plain: bytes) -> bytes:
    sink = Sink()
    with cipher.new_encrypting_stream(sink, AAD) as stream:
        stream.write(plain)
    return sink.kept


def tink_decrypt(cipher: streaming_aead.StreamingAead, stored: bytes, aad: bytes = AAD) -> bytes:
    with cipher.new_decrypting_stream(io.BytesIO(stored), aad) as stream:
        return stream.read()


class Ours:
    def __init__(self, example: pathlib.Path, key: bytes, directory: pathlib.Path):
        self.example, self.key, self.directory = example, key, directory

    def run(self, verb: str, data: bytes, aad: bytes = AAD) -> bytes:
        source, target = self.directory / "in", self.directory / "out"
        source.write_bytes(data)
        target.unlink(missing_ok=True)
        command = [self.example, verb, self.key.hex(), aad.hex(), source, target]
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise ValueError(done.stderr)
        return target.read_bytes()


def refused(decrypt, *arguments) -> bool:
    try:
        decrypt(*arguments)
    except (ValueError, tink.TinkError, OSError):
        return True
    return False


def main() -> int:
    example = pathlib.Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else build()
    streaming_aead.register()
    key = os.urandom(32)
    cipher = primitive(key)
    failures = []
    checks = 0

    def check(name: str, passed: bool) -> None:
        nonlocal checks
        checks += 1
        if not passed:
            failures.append(name)
        print(f"{'ok     ' if passed else 'FAILED '} {name}")

    with tempfile.TemporaryDirectory() as directory:
        ours = Ours(example, key, pathlib.Path(directory))
        for size in SIZES:
            plain = os.urandom(size)
            sealed = ours.run("encrypt", plain)
            theirs = tink_encrypt(cipher, plain)
            check(f"{size} bytes: equal stored lengths", len(sealed) == len(theirs))
            check(f"{size} bytes: Tink reads ours", tink_decrypt(cipher, sealed) == plain)
            check(f"{size} bytes: we read Tink's", ours.run("decrypt", theirs) == plain)

        plain = os.urandom(2 * SEGMENT)
        stored = bytearray(ours.run("encrypt", plain))
        changes = {
            "a flipped byte in the header": lambda b: b[:5] + bytes([b[5] ^ 1]) + b[6:],
            "a flipped byte in the body": lambda b: b[: SEGMENT + 9] + bytes([b[SEGMENT + 9] ^ 1]) + b[SEGMENT + 10 :],
            "cut at a segment": lambda b: b[:SEGMENT],
            "cut in a segment": lambda b: b[:-1],
            "a byte more": lambda b: b + b"\0",
        }
        for name, change in changes.items():
            changed = bytes(change(bytes(stored)))
            check(f"Tink refuses {name}", refused(tink_decrypt, cipher, changed))
            check(f"we refuse {name}", refused(ours.run, "decrypt", changed))
        check("Tink refuses another binding", refused(tink_decrypt, cipher, bytes(stored), b"other"))
        check("we refuse another binding", refused(ours.run, "decrypt", bytes(stored), b"other"))

    print(f"{checks - len(failures)} of {checks} checks passed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
