"""What people type into a place search: names of cities in the users' own spelling, letter by letter."""

# Ten languages, fifteen names each: capitals, towns, names with marks, names of several words, and
# places that speakers of the language call differently from those who live there.
NAMES = {
    "en": ["London", "New York", "Manchester", "Cape Town", "San Francisco", "Wellington", "Aberdeen", "St. Louis",
           "Melbourne", "Galway", "Vancouver", "Salt Lake City", "Norwich", "Munich", "Florence"],
    "de": ["Berlin", "München", "Köln", "Düsseldorf", "Würzburg", "Frankfurt am Main", "Garmisch-Partenkirchen", "Zürich",
           "Graz", "Lübeck", "Mailand", "Warschau", "Görlitz", "Bad Tölz", "Rosenheim"],
    "fr": ["Paris", "Marseille", "Saint-Étienne", "Orléans", "Chamonix", "La Rochelle", "Montréal", "Genève", "Besançon",
           "Londres", "Aix-en-Provence", "Nîmes", "Liège", "Dakar", "Brest"],
    "es": ["Madrid", "Sevilla", "A Coruña", "San Sebastián", "Ciudad de México", "Bogotá", "Córdoba", "Málaga", "Medellín",
           "Nueva York", "Valparaíso", "Palma", "Logroño", "Cusco", "Santiago de Compostela"],
    "pt": ["Lisboa", "São Paulo", "Rio de Janeiro", "Florianópolis", "Évora", "Coimbra", "Brasília", "Maceió", "Funchal",
           "Londrina", "Ponta Delgada", "Goiânia", "Setúbal", "Luanda", "Óbidos"],
    "no": ["Oslo", "Bergen", "Tromsø", "Ålesund", "Bodø", "Trondheim", "Lillehammer", "Hammerfest", "Kristiansand",
           "Longyearbyen", "Røros", "Geilo", "København", "Göteborg", "Kirkenes"],
    "pl": ["Warszawa", "Kraków", "Łódź", "Gdańsk", "Wrocław", "Zakopane", "Rzeszów", "Białystok", "Toruń", "Monachium",
           "Częstochowa", "Bielsko-Biała", "Świnoujście", "Poznań", "Wilno"],
    "tr": ["İstanbul", "Ankara", "İzmir", "Diyarbakır", "Eskişehir", "Muğla", "Şanlıurfa", "Çanakkale", "Bodrum", "Trabzon",
           "Gaziantep", "Kapadokya", "Lefkoşa", "Atina", "Göreme"],
    "ru": ["Москва", "Санкт-Петербург", "Новосибирск", "Екатеринбург", "Казань", "Сочи", "Владивосток", "Иркутск",
           "Нижний Новгород", "Калининград", "Париж", "Лондон", "Алматы", "Псков", "Мурманск"],
    "ja": ["東京", "大阪", "京都", "札幌", "名古屋", "横浜", "福岡", "那覇", "広島", "金沢", "鎌倉", "神戸", "仙台", "長野", "奈良"],
}


def keystrokes():
    """Every text that a search field holds while the names are typed, languages mixed, in a fixed order.

    A trailing space is left out: clients trim it, and it would only ask the same again.
    """
    by_turn = zip(*NAMES.values())
    names = [name for turn in by_turn for name in turn]
    return [name[:length] for name in names for length in range(1, len(name) + 1) if not name[:length].endswith(" ")]
