"""Words that invented people are made of. Nobody real; accents, apostrophes and hyphens on purpose."""

from connectors.sandbox.healthie.rows import names

FIRST = names("""Ana Zoë Renée José Łukasz Siân Åsa Mónica Bjørn Chloé Nguyên Ayşe Ömer Inês Dvořák Marta
Priya Kofi Amara Jun Mei Tariq Leila Noor Samuel Grace Peter Ruth Olga Ivan Elif Nina Hugo Paula Otto Wanda
Felix Irma Joan Karl Lena Milo Nora Oscar Petra Quinn Rosa Sven Tessa Ulf Vera Willa Xenia Yara Zeno Adele
Boris Celia Dario""")
LAST = names("""Gómez O'Neill Müller Nuñez D'Angelo Şahin Øvergård Kowalczyk Lemaître Ferreira-Santos Nakamura
Okonkwo Haddad Petrov Lindqvist Castellanos Abernathy Blackwood Carmichael Dunmore Eastgate Fairweather
Greenhalgh Hollins Inglewood Jessamy Kettering Larkspur Merriweather Northcott Oakhurst Pemberton Quillfeather
Ravenscroft Silverlake Thornbury Underhill Vandermeer Whitcombe Yarborough Zellweger Ashdown Birchall
Coppersmith Davenport Elderwood Foxglove Gladwell Hartfield Ironside""")
STREETS = (
    "Maple Street",
    "Calle Ocho",
    "Rue d'Été",
    "Harbor Road",
    "Old Mill Lane",
    "Ångström Way",
    "Elm Avenue",
)
PLACES = (  # city, state, zip: zips with a leading zero among them
    ("Boston", "MA", "02118"),
    ("Chicopee", "MA", "01013"),
    ("Newark", "NJ", "07102"),
    ("Providence", "RI", "02903"),
    ("Española", "NM", "87532"),
    ("Phoenix", "AZ", "85004"),
    ("Austin", "TX", "78701"),
    ("San José", "CA", "95112"),
    ("Brooklyn", "NY", "11201"),
)
ZONES = ("America/New_York", "America/Chicago", "America/Phoenix", "America/Los_Angeles")
AREAS = ("212", "305", "415", "480", "512", "617", "718", "787")
PAYERS = (
    ("00001", "Aurora Health Plan"),
    ("00562", "Blue Harbor Mutual"),
    ("60054", "Cascade Life"),
    ("87726", "Evergreen United"),
    ("SX109", "Prairie Medicaid"),
    ("04412", "Río Grande Salud"),
)
MALFORMED = ("{not json", '{"a": 1,}', "[1, 2", "null", '"just text"', "{'single': 'quotes'}")
"""What stands in `User.metadata` where somebody typed it by hand."""
