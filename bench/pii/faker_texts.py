"""Labelled texts that this project's generator has no part in: faker_texts.py SEED COUNT, with Faker.

Half of the texts hold one value that Faker makes up for a country, a third of these behind the name that Faker has for it;
the others hold what only looks like one. Written as `pii corpus` writes them: kind, first byte, byte behind the last, whether
it is named, text, separated by tabs.
"""

import datetime
import random
import sys

from faker import Faker

seed, count = int(sys.argv[1]), int(sys.argv[2])
random.seed(seed)
Faker.seed(seed)
fakers = {}


def of(place):
    return fakers.setdefault(place, Faker(place))


def korean():
    """A Korean number of somebody born on a day that there was: one in six of Faker's is of none."""
    while True:
        number = of("ko_KR").ssn()
        century = 2000 if number[7] in "3478" else 1900
        try:
            datetime.date(century + int(number[:2]), int(number[2:4]), int(number[4:6]))
        except ValueError:
            continue
        return number


PLACES = ["en_US", "en_GB", "de_DE", "fr_FR", "es_ES", "it_IT"]
VALUES = [
    ("email", "email", lambda: of(random.choice(PLACES)).email()),
    ("phone", "phone", lambda: of(random.choice(PLACES)).phone_number()),
    ("card", "credit card", lambda: of("en_US").credit_card_number()),
    ("iban", "iban", lambda: of(random.choice(["de_DE", "en_GB", "fr_FR", "es_ES", "it_IT", "nl_NL"])).iban()),
    ("us-ssn", "ssn", lambda: of("en_US").ssn()),
    ("ipv4", "ip", lambda: of("en_US").ipv4_public()),
    ("ipv6", "ip", lambda: of("en_US").ipv6()),
    ("mac-address", "mac", lambda: of("en_US").mac_address()),
    ("uk-nino", "ssn", lambda: of("en_GB").ssn()),
    ("es-dni", "nif", lambda: of("es_ES").nif()),
    ("es-nie", "nie", lambda: of("es_ES").nie()),
    ("it-codice-fiscale", "ssn", lambda: of("it_IT").ssn()),
    ("in-aadhaar", "aadhaar", lambda: of("en_IN").aadhaar_id()),
    ("pl-pesel", "pesel", lambda: of("pl_PL").pesel()),
    ("fi-hetu", "ssn", lambda: of("fi_FI").ssn()),
    ("kr-rrn", "ssn", korean),
    ("se-personnummer", "ssn", lambda: of("sv_SE").ssn()),
    ("ca-sin", "ssn", lambda: of("en_CA").ssn()),
    ("tr-tckn", "ssn", lambda: of("tr_TR").ssn()),
]
f = of("en_US")
OTHERS = [
    lambda: f.ean13(), lambda: f.ean8(), lambda: f.isbn13(), lambda: f.isbn10(), lambda: f.uuid4(), lambda: f.md5(), lambda: f.sha1(),
    lambda: f.iso8601(), lambda: str(f.unix_time()), lambda: f.license_plate(), lambda: f.postcode(), lambda: f.pricetag(),
    lambda: f.user_agent(), lambda: f"{f.latitude()}, {f.longitude()}", lambda: f.bothify("??-########"), lambda: f.numerify("%%########"),
    lambda: f.numerify("%########"), lambda: f.numerify("%############"), lambda: f.numerify("%##-###"), lambda: f.swift(), lambda: f.vin(),
    lambda: f.file_path(depth=3), lambda: f.url(), lambda: f.date(), lambda: f.time(), lambda: f.bban(), lambda: f.street_address(),
]
for _ in range(count):
    before, after = f.sentence(), f.sentence()
    if random.random() < 0.5:
        kind, name, make = random.choice(VALUES)
        value, named = make(), random.random() < 1 / 3
        start = f"{before} {name}: " if named else f"{before} "
    else:
        kind, value, named, start = "-", random.choice(OTHERS)(), False, f"{before} "
    text = f"{start}{value} {after}"
    first = len(start.encode())
    last = first + len(value.encode())
    print("-\t0\t0\t0\t" + text if kind == "-" else f"{kind}\t{first}\t{last}\t{int(named)}\t{text}")
