"""Bartizan beside the pattern recognisers of Presidio on the same labelled texts: compare.py EXAMPLE [SEED COUNT | FILE].

EXAMPLE is the program `cargo build --release -p bartizan-data --example pii` makes; it also writes the texts, unless a file has
others, as faker_texts.py writes them. Presidio's recognisers are called directly, without its language models. What its
context enhancer would do with lemmas is done with words here: a result whose recogniser has a context word in the text gets 0.35 more, and at least 0.4, as it does.
Of all thresholds Presidio gets the one with which its F1 is best on these texts, for each kind. Bartizan is shown with the
score from which it reports by default, and where that has the lower recall also with the score that Presidio's recall takes.
"""

import pathlib
import subprocess
import sys
import time

from presidio_analyzer import predefined_recognizers as p

EXAMPLE, SEED, COUNT = sys.argv[1], *(sys.argv[2:4] if len(sys.argv) > 3 else ("41", "20000"))
FILE = sys.argv[2] if len(sys.argv) == 3 else None

RECOGNISERS = {
    "email": ["EmailRecognizer"],
    "phone": ["PhoneRecognizer"],
    "card": ["CreditCardRecognizer"],
    "iban": ["IbanRecognizer"],
    "us-ssn": ["UsSsnRecognizer"],
    "ipv4": ["IpRecognizer"],
    "ipv6": ["IpRecognizer"],
    "mac-address": ["MacAddressRecognizer"],
    "uk-nhs": ["NhsRecognizer"],
    "uk-nino": ["UkNinoRecognizer"],
    "es-dni": ["EsNifRecognizer"],
    "es-nie": ["EsNieRecognizer"],
    "it-codice-fiscale": ["ItFiscalCodeRecognizer"],
    "in-aadhaar": ["InAadhaarRecognizer"],
    "au-tfn": ["AuTfnRecognizer"],
    "pl-pesel": ["PlPeselRecognizer"],
    "fi-hetu": ["FiPersonalIdentityCodeRecognizer"],
    "sg-nric": ["SgFinRecognizer"],
    "kr-rrn": ["KrRrnRecognizer"],
    "de-steuer-id": ["DeTaxIdRecognizer"],
    "se-personnummer": ["SePersonnummerRecognizer"],
    "ca-sin": ["CaSinRecognizer"],
    "tr-tckn": ["TrNationalIdRecognizer"],
    "za-id": ["ZaIdNumberRecognizer"],
}


def ratio(part, whole):
    return part / whole if whole else 1.0


def counted(texts, labels, found, kind):
    """Right, wrong and missed: a finding is right when it overlaps a label of its kind."""
    right = wrong = hit = 0
    for label, results in zip(labels, found):
        overlaps = [label[0] == kind and start < label[2] and label[1] < end for start, end in results]
        right += sum(overlaps)
        wrong += len(overlaps) - sum(overlaps)
        hit += any(overlaps)
    total = sum(label[0] == kind for label in labels)
    return ratio(right, right + wrong), ratio(hit, total), total


if FILE:
    made = pathlib.Path(FILE).read_text()
else:
    made = subprocess.run([EXAMPLE, "corpus", SEED, COUNT], capture_output=True, text=True, check=True).stdout
lines = made.split("\n")[:-1]
labels, texts = [], []
for line in lines:
    kind, start, end, _, text = line.split("\t", 4)
    raw = text.encode()
    # Labels count bytes, Presidio characters.
    labels.append((kind, len(raw[: int(start)].decode()), len(raw[: int(end)].decode())))
    texts.append(text)


def bartizan(*arguments):
    """What it finds in each text: kind, first and last character, score."""
    answers = subprocess.run([EXAMPLE, "find", *arguments], input="\n".join(texts) + "\n", capture_output=True, text=True, check=True)
    found = []
    for text, answer in zip(texts, answers.stdout.splitlines()):
        raw = text.encode()
        results = []
        for one in answer.split():
            kind, start, end, score = one.split(":")
            results.append((kind, len(raw[: int(start)].decode()), len(raw[: int(end)].decode()), int(score)))
        found.append(results)
    return found


default = bartizan()

behind = []
print(f"{len(texts)} texts, {FILE or f'seed {SEED}'}; precision, recall\n\n| kind | values | Bartizan, default | Bartizan, lower score | Presidio | its score |")
print("|---|---|---|---|---|---|")
spent = 0.0
for kind, names in RECOGNISERS.items():
    if not any(label[0] == kind for label in labels):
        continue
    classes = [getattr(p, name) for name in names if hasattr(p, name)]
    if not classes:
        print(f"| {kind} | | | | not in this version | |")
        continue
    recogniser = classes[0]()
    words = [word.lower() for word in recogniser.context or []]
    entities = recogniser.supported_entities
    scored = []
    begun = time.process_time()
    for text in texts:
        results = recogniser.analyze(text, entities, None) or []
        near = words and any(word in text.lower() for word in words)
        scored.append([(max(r.score + 0.35, 0.4) if near and r.score < 1 else r.score, r.start, r.end) for r in results])
    spent += time.process_time() - begun
    if kind in ("ipv4", "ipv6"):
        colon = kind == "ipv6"
        scored = [[r for r in rs if (":" in t[r[1] : r[2]]) == colon] for t, rs in zip(texts, scored)]
    best = None
    for threshold in (0.01, 0.1, 0.3, 0.4, 0.5, 0.6, 0.75, 0.85, 1.0):
        found = [[(s, e) for score, s, e in rs if score >= threshold] for rs in scored]
        precision, recall, total = counted(texts, labels, found, kind)
        f1 = 2 * precision * recall / max(1e-9, precision + recall)
        if best is None or f1 > best[0]:
            best = (f1, precision, recall, threshold)
    at = {}
    # As Presidio's recognisers, alone: kinds do not compete for the same digits.
    ours = bartizan("1", kind)
    for threshold in sorted({score for rs in ours for *_, score in rs}, reverse=True):
        at[threshold] = counted(texts, labels, [[(s, e) for k, s, e, score in rs if k == kind and score >= threshold] for rs in ours], kind)
    mine = usual = counted(texts, labels, [[(s, e) for k, s, e, _ in rs if k == kind] for rs in default], kind)
    lower = ""
    if mine[1] < best[2] - 0.005:
        enough = [threshold for threshold, figures in at.items() if figures[1] >= best[2] - 0.005]
        chosen = max(enough) if enough else min(at)
        lower = f"{at[chosen][0]:.3f}, {at[chosen][1]:.3f} at {chosen / 100}"
        mine = at[chosen]
    print(f"| {kind} | {mine[2]} | {usual[0]:.3f}, {usual[1]:.3f} | {lower} | {best[1]:.3f}, {best[2]:.3f} | {best[3]} |")
    if mine[0] < best[1] - 0.005 or mine[1] < best[2] - 0.005:
        behind.append(kind)
size = sum(len(text.encode()) for text in texts)
print(f"\nPresidio: {size / 1e6 / spent:.3f} MB/s for these recognisers together")
print("behind in precision or recall:", ", ".join(behind) or "none")
