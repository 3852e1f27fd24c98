"""The sample's customers, as data. All names are made up; `.example` is nobody's domain."""

from __future__ import annotations

from dataclasses import dataclass

STAGES = ("First talk", "Needs", "Proposal", "Negotiation", "Agreed")


@dataclass(frozen=True, slots=True)
class SampleCompany:
    name: str
    domain: str
    website: str
    phone: str
    owner: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SamplePerson:
    name: str
    job_title: str
    company: str
    emails: tuple[str, ...]
    phone: str
    owner: str
    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleLead:
    name: str
    job_title: str
    company: str
    email: str
    owner: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SampleOpportunity:
    """`stage` is an index into STAGES, `value` whole euros, `closes` days from today."""

    name: str
    company: str
    contact: str
    stage: int
    status: str
    value: int
    closes: int
    owner: str


# Tables, one row a line.
# fmt: off
COMPANIES = (
    SampleCompany("Halden Robotics", "halden.example", "https://halden.example", "+47 69 55 01 20", "alice", ("customer",)),
    SampleCompany("Maison Arlette", "maisonarlette.example", "https://maisonarlette.example", "+33 4 72 55 18 40", "alice", ("customer", "retail")),
    SampleCompany("Tidewell Ports", "tidewell.example", "https://tidewell.example", "+44 20 5550 1470", "bob", ("customer",)),
    SampleCompany("Solana Clinics", "solanaclinics.example", "https://solanaclinics.example", "+34 93 555 0162", "alice", ("health",)),
    SampleCompany("Lumen Health", "lumenhealth.example", "https://lumenhealth.example", "+1 617 555 0139", "bob", ("health", "customer")),
    SampleCompany("Kestrel Energy", "kestrel.example", "https://kestrel.example", "+44 131 555 0188", "bob", ("energy",)),
    SampleCompany("Hale Joinery", "halejoinery.example", "https://halejoinery.example", "+44 1904 555 0116", "alice"),
    SampleCompany("Fjordline Logistics", "fjordline.example", "https://fjordline.example", "+47 55 55 31 07", "bob", ("customer",)),
    SampleCompany("Brightwater Foods", "brightwater.example", "https://brightwater.example", "+353 21 555 0173", "alice", ("retail",)),
    SampleCompany("Polder Bank", "polderbank.example", "https://polderbank.example", "+31 20 555 0129", "bob", ("finance",)),
    SampleCompany("Sakura Instruments", "sakura-instruments.example", "https://sakura-instruments.example", "+81 3 5550 0194", "bob", ("customer",)),
    SampleCompany("Orchard & Vale", "orchardvale.example", "https://orchardvale.example", "+44 117 555 0151", "alice"),
    SampleCompany("Ateliers Vauban", "vauban.example", "https://vauban.example", "+33 3 88 55 02 16", "alice", ("customer",)),
    SampleCompany("Copperline Transit", "copperline.example", "https://copperline.example", "+1 212 555 0177", "bob", ("energy",)),
    SampleCompany("Baobab Learning", "baobab.example", "https://baobab.example", "+221 33 555 01 34", "alice"),
)

PEOPLE = (
    SamplePerson("Priya Raman", "Head of operations", "Halden Robotics", ("priya.raman@halden.example", "priya@raman.example"), "+47 69 55 01 21", "alice", ("decides",), ("Prefers short calls in the morning. Sends numbers a day ahead if asked.", "Wants to see the Oslo line running before the board meets.")),
    SamplePerson("Tom Eklund", "Plant manager", "Halden Robotics", ("tom.eklund@halden.example",), "+47 69 55 01 24", "alice" ),
    SamplePerson("Linnea Berg", "Finance director", "Halden Robotics", ("linnea.berg@halden.example",), "+47 69 55 01 29", "alice", ("signs",)),
    SamplePerson("Claire Beaumont", "Managing director", "Maison Arlette", ("claire@maisonarlette.example",), "+33 4 72 55 18 41", "alice", ("decides",), ("Opening two shops in Lyon in spring. Ask about the lease.",)),
    SamplePerson("Étienne Roche", "Buyer", "Maison Arlette", ("etienne.roche@maisonarlette.example",), "+33 4 72 55 18 44", "alice"),
    SamplePerson("Marcus Hale", "Owner", "Hale Joinery", ("marcus@halejoinery.example",), "+44 1904 555 0117", "alice", ("decides",)),
    SamplePerson("Samuel Osei", "Harbour director", "Tidewell Ports", ("s.osei@tidewell.example",), "+44 20 5550 1471", "bob", ("decides",), ("Bob knows him from the Rotterdam project.",)),
    SamplePerson("Grace Adeyemi", "Head of planning", "Tidewell Ports", ("g.adeyemi@tidewell.example",), "+44 20 5550 1475", "bob"),
    SamplePerson("Owen Pritchard", "IT manager", "Tidewell Ports", ("o.pritchard@tidewell.example",), "+44 20 5550 1478", "bob" ),
    SamplePerson("Diego Fuentes", "Medical director", "Solana Clinics", ("diego.fuentes@solanaclinics.example",), "+34 93 555 0163", "alice"),
    SamplePerson("Marta Kowalczyk", "Procurement lead", "Solana Clinics", ("marta.kowalczyk@solanaclinics.example",), "+34 93 555 0166", "alice", ("signs",)),
    SamplePerson("Hannah Weiss", "Chief of staff", "Lumen Health", ("hannah.weiss@lumenhealth.example",), "+1 617 555 0140", "bob", ("decides",), ("Based in Boston: mornings there are our afternoons.",)),
    SamplePerson("Rohan Mehta", "Data lead", "Lumen Health", ("rohan.mehta@lumenhealth.example", "rohan@mehta.example"), "+1 617 555 0145", "bob"),
    SamplePerson("Yusuf Demir", "Head of trading", "Kestrel Energy", ("yusuf.demir@kestrel.example",), "+44 131 555 0189", "bob" ),
    SamplePerson("Theo Walsh", "Grid engineer", "Kestrel Energy", ("theo.walsh@kestrel.example",), "+44 131 555 0192", "bob" ),
    SamplePerson("Sofia Lindqvist", "Operations director", "Fjordline Logistics", ("sofia.lindqvist@fjordline.example",), "+47 55 55 31 08", "bob", ("decides",)),
    SamplePerson("Jonas Nyberg", "Fleet manager", "Fjordline Logistics", ("jonas.nyberg@fjordline.example",), "+47 55 55 31 11", "bob"),
    SamplePerson("Elena Conti", "Brand director", "Brightwater Foods", ("elena.conti@brightwater.example",), "+353 21 555 0174", "alice"),
    SamplePerson("Ciarán Doyle", "Supply manager", "Brightwater Foods", ("ciaran.doyle@brightwater.example",), "+353 21 555 0178", "alice"),
    SamplePerson("Anouk de Wit", "Programme manager", "Polder Bank", ("anouk.dewit@polderbank.example",), "+31 20 555 0130", "bob", ("decides",)),
    SamplePerson("Joris Bakker", "Risk officer", "Polder Bank", ("joris.bakker@polderbank.example",), "+31 20 555 0134", "bob" ),
    SamplePerson("Haruka Mori", "Director, Europe", "Sakura Instruments", ("h.mori@sakura-instruments.example",), "+81 3 5550 0195", "bob", ("decides",), ("Tokyo time. Send the agenda in English and Japanese.",)),
    SamplePerson("Kenji Watanabe", "Quality manager", "Sakura Instruments", ("k.watanabe@sakura-instruments.example",), "+81 3 5550 0197", "bob"),
    SamplePerson("Imogen Vale", "Partner", "Orchard & Vale", ("imogen@orchardvale.example",), "+44 117 555 0152", "alice" ),
    SamplePerson("Luc Ferrand", "Workshop head", "Ateliers Vauban", ("luc.ferrand@vauban.example",), "+33 3 88 55 02 17", "alice" ),
    SamplePerson("Nadia Benali", "Managing director", "Ateliers Vauban", ("nadia.benali@vauban.example",), "+33 3 88 55 02 19", "alice", ("decides",)),
    SamplePerson("Rachel Ortiz", "Vice president, service", "Copperline Transit", ("rachel.ortiz@copperline.example",), "+1 212 555 0178", "bob", ("decides",)),
    SamplePerson("Devon Clarke", "Scheduling lead", "Copperline Transit", ("devon.clarke@copperline.example",), "+1 212 555 0181", "bob"),
    SamplePerson("Aïssatou Ndiaye", "Founder", "Baobab Learning", ("aissatou@baobab.example",), "+221 33 555 01 35", "alice", ("decides",)),
    SamplePerson("Moussa Faye", "Head of content", "Baobab Learning", ("moussa@baobab.example",), "+221 33 555 01 38", "alice" ),
    SamplePerson("Ingrid Solheim", "Legal counsel", "Halden Robotics", ("ingrid.solheim@halden.example",), "+47 69 55 01 33", "alice"),
    SamplePerson("Pauline Mercier", "Store manager", "Maison Arlette", ("pauline.mercier@maisonarlette.example",), "+33 4 72 55 18 49", "alice"),
    SamplePerson("Victor Lund", "Controller", "Fjordline Logistics", ("victor.lund@fjordline.example",), "+47 55 55 31 15", "bob", ("signs",)),
    SamplePerson("Beatriz Almeida", "Nurse manager", "Solana Clinics", ("beatriz.almeida@solanaclinics.example",), "+34 93 555 0169", "alice"),
    SamplePerson("Callum Reid", "Finance lead", "Kestrel Energy", ("callum.reid@kestrel.example",), "+44 131 555 0196", "bob", ("signs",)),
    SamplePerson("Mei-Lin Chou", "Independent adviser", "", ("meilin@chou.example",), "+886 2 5550 0121", "alice", ("adviser",), ("Introduced us to Sakura Instruments.",)),
    SamplePerson("Peter Novak", "Journalist", "", ("peter.novak@dispatch.example",), "+420 2 5550 0143", "alice"),
    SamplePerson("Fatima Zahra Idrissi", "Architect", "", ("fz.idrissi@atlas-studio.example",), "+212 5 2255 0118", "bob" ),
    # No meeting matches these: one has no address at all.
    SamplePerson("Gunnar Holm", "Chairman", "Fjordline Logistics", (), "+47 55 55 31 00", "bob"),
    SamplePerson("Lucía Prieto", "Receptionist", "Solana Clinics", ("front.desk@solanaclinics.example",), "+34 93 555 0160", "alice"),
)

LEADS = (
    SampleLead("Wanda Kruger", "Operations manager", "Karoo Solar", "wanda@karoosolar.example", "alice", ("fair",)),
    SampleLead("Bram Peeters", "Managing director", "Peeters Drukkerij", "bram@peeters.example", "bob"),
    SampleLead("Noor Haddad", "Head of projects", "Cedar Build", "noor.haddad@cedarbuild.example", "alice", ("referral",)),
    SampleLead("Tobias Frank", "Purchasing", "Frank & Söhne", "tobias.frank@frank-soehne.example", "bob"),
    SampleLead("Olivia Grant", "Clinic owner", "Grant Veterinary", "olivia@grantvet.example", "alice", ("web",)),
    SampleLead("Santiago Reyes", "Logistics lead", "Andes Cargo", "s.reyes@andescargo.example", "bob", ("fair",)),
    SampleLead("Chiara Galli", "Studio lead", "Galli Design", "chiara@gallidesign.example", "alice"),
    SampleLead("Emeka Obi", "Chief technology officer", "Lagos Grid", "emeka.obi@lagosgrid.example", "bob", ("referral",)),
    SampleLead("Sanna Virtanen", "Service manager", "Aurora Lifts", "sanna.virtanen@auroralifts.example", "alice"),
    SampleLead("Declan Byrne", "Owner", "Byrne Boats", "declan@byrneboats.example", "bob", ("web",)),
    SampleLead("Yuki Arai", "Assistant to the board", "Arai Textiles", "yuki.arai@araitextiles.example", "bob"),
    SampleLead("Helena Costa", "Programme officer", "Azul Foundation", "helena.costa@azul.example", "alice"),
)

OPPORTUNITIES = (
    SampleOpportunity("Oslo line, second phase", "Halden Robotics", "Priya Raman", 3, "open", 84_000, 24, "alice"),
    SampleOpportunity("Spare parts planning", "Halden Robotics", "Tom Eklund", 1, "open", 22_500, 70, "alice"),
    SampleOpportunity("Two shops in Lyon", "Maison Arlette", "Claire Beaumont", 2, "open", 31_000, 38, "alice"),
    SampleOpportunity("Berth scheduling", "Tidewell Ports", "Samuel Osei", 2, "open", 120_000, 55, "bob"),
    SampleOpportunity("Clinic intake review", "Solana Clinics", "Marta Kowalczyk", 1, "open", 18_000, 45, "alice"),
    SampleOpportunity("Data room", "Lumen Health", "Hannah Weiss", 3, "open", 46_000, 18, "bob"),
    SampleOpportunity("Balancing desk", "Kestrel Energy", "Yusuf Demir", 0, "open", 65_000, 90, "bob"),
    SampleOpportunity("European service desk", "Sakura Instruments", "Haruka Mori", 2, "open", 72_000, 61, "bob"),
    SampleOpportunity("Workshop layout", "Ateliers Vauban", "Nadia Benali", 4, "won", 27_400, -6, "alice"),
    SampleOpportunity("Night timetable", "Copperline Transit", "Rachel Ortiz", 1, "lost", 39_000, -20, "bob"),
)
