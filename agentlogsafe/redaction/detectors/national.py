"""National, tax, health, bank and travel-document numbers of some forty countries.

An entry stands alone only where its outline or its checksum tells it from an order number; the others need one of their *context* words nearby.
"""

# ruff: noqa: E501 - an entry of a table is one line
from __future__ import annotations

from itertools import product

from agentlogsafe.redaction.detectors import checks
from agentlogsafe.redaction.detectors.base import Number, Validator

_ID = "national id identity"
_TAX = "tax vat tin taxpayer"


def _n(
    name: str,
    outlines: str,
    valid: str | Validator | None = None,
    context: str = "",
    category: str = "NATIONAL_ID",
    *,
    alone: bool = False,
    shape: str = "",
    yes: str = "",
    no: str = "",
) -> Number:
    return Number(
        name, category, tuple(outlines.split("|")), valid, context, alone, shape, (yes,) if yes else (), (no,) if no else (),
    )  # fmt: skip


# Months and days, the digits of which some countries raise to tell centuries, or who was born abroad.
_MM = "(?:0[1-9]|1[0-2])"
_DD = "(?:0[1-9]|[12][0-9]|3[01])"
# What a tax on sales is called, and its numbers begin with; the library knows each country's checksum.
_SALES = "vat vatin ust ust-id umsatzsteuer mwst tva iva btw moms alv dph pvm pdv ddv mva áfa steuer"
# German driving licences: a letter and three digits for the authority, five characters of either kind, two digits.
_SERIAL = "|".join(f"A999{''.join(serial)}99" for serial in product("9A", repeat=5))

NUMBERS: tuple[Number, ...] = (
    # United States
    _n("us-ssn", "999-99-9999|999 99 9999|999.99.9999", checks.ssn, "ssn social security", alone=True, yes="536-22-8147", no="000-22-8147"),
    _n("us-ssn-plain", "999999999", checks.ssn, "ssn social security", yes="SSN 536228147"),
    _n("us-itin", "999-99-9999|999 99 9999|999-999999|99999-9999", checks.itin, "itin tax", alone=True, yes="912-70-1234", no="912-93-1234"),
    _n("us-itin-plain", "999999999", checks.itin, "itin tax taxpayer", yes="ITIN 912701234"),
    _n("us-ein", "99-9999999", "us.ein", "ein employer tax", "TAX_ID", yes="EIN 91-1144442"),
    _n("us-bank-routing", "999999999|9999-9999-9|9999 9999 9", checks.aba, "routing aba bank transit rtn", "BANK", yes="routing 121000358"),
    _n("us-npi", "9999-999-999|9999 999 999", checks.npi, "npi provider", alone=True, yes="1245-319-599"),
    _n("us-npi-plain", "9999999999", checks.npi, "npi provider", yes="NPI 1245319599"),
    _n("us-medicare", "9AA9-AA9-AA99|9AA9AA9AA99|9A99-AA9-AA99|9A99AA9AA99|9AA9-A99-AA99|9A99-A99-AA99|9AA9A99AA99|9A99A99AA99", None, "medicare mbi beneficiary", yes="MBI 1EG4-TE5-MK73"),
    _n("us-passport", "999999999|A99999999", None, "passport travel", "PASSPORT", yes="passport 912803456"),
    # United Kingdom and Ireland
    _n("uk-nino", "AA999999A|AA 99 99 99 A", checks.nino, "national insurance nino", alone=True, yes="AB123456C", no="BG123456C"),
    _n("uk-nhs", "9999999999|999 999 9999|999-999-9999", "gb.nhs", "nhs health patient", yes="NHS 943 476 5919"),
    _n("uk-driving-licence", "AAAAA999999AA9AA|AAAA9999999AA9AA|AAA99999999AA9AA|AA999999999AA9AA|AAAAA999999AA9AA99|AAAAA999999A99AA|AAAA9999999A99AA", checks.british_driver, "driving licence license", "LICENSE", alone=True, yes="MORGA657054SM9IJ"),
    _n("uk-utr", "9999999999", "gb.utr", "utr unique taxpayer", "TAX_ID", yes="UTR 1955839661"),
    _n("uk-passport", "999999999", None, "passport", "PASSPORT", yes="UK passport 912803456", no="page 912803456"),
    _n("ie-pps", "9999999A|9999999AA", "ie.pps", "pps ppsn personal public service", alone=True, yes="PPS 6433435F"),
    # Canada
    _n("ca-sin", "999 999 999|999-999-999", "ca.sin", "sin nas social insurance", yes="SIN 123-456-782"),
    _n("ca-sin-plain", "999999999", "ca.sin", "sin nas social insurance assurance sociale", yes="SIN 123456782"),
    # Germany, Austria, Switzerland
    _n("de-tax-id", "99999999999|99 999 999 999|99 999 999 999", checks.german_tax, "steuer tax idnr identifikationsnummer", yes="Steuer-ID 36574261809"),
    _n("de-id-card", "A99A99A999|A99A99A99|A99999999|A9AA9A9AA|AAAAAAAAA|A999999999|AAA999999|A9999999A|A99AA9A99|A9999A999|A99A9999|999999999", checks.icao, "ausweis personalausweis identity card perso", yes="Ausweis T220001293"),
    _n("de-passport", "A99A99A99|A99999999|A99A99A999|A999999999|AA9999999|AAA999999", checks.icao, "pass reisepass passport", "PASSPORT", yes="Reisepass C01X00T478"),
    _n("de-pension", "99999999A999|99 999999 A 999|99999999 A 999", checks.german_pension, "rente rentenversicherung sozialversicherung social", alone=True, yes="15070649C103", no="15073649C103"),
    _n("de-health", "A999999999", checks.german_health, "kranken versicherung versicherten health insurance kvnr", alone=True, yes="A123456780"),
    _n("de-physician", "999999999", checks.german_practice, "lanr arzt arztnummer", yes="LANR 123456601"),
    _n("de-practice", "999999999", None, "bsnr betriebsst", yes="BSNR 021234568"),
    _n("de-driving", _SERIAL + "|AA99999999A|AA999999999", None, "führerschein fuehrerschein fahrerlaubnis driving licence", "LICENSE", yes="Führerschein B072RRE2I55", no="Vorgang B072RRE2I55"),
    _n("at-vnr", "9999999999|9999 999999", "at.vnr", "sozialversicherung svnr versicherungsnummer", yes="SVNR 1237 010180"),
    _n("ch-ahv", "999.9999.9999.99|9999999999999", "ch.ssn", "ahv avs", shape="756", alone=True, yes="756.9217.0769.85", no="756.9217.0769.84"),
    # France, Belgium, Netherlands, Luxembourg
    _n("fr-nir", "9 99 99 99 999 999 99|999999999999999|9999999999999 99|9 99 99 99 999 999|999999A99999999|9 99 99 9A 999 999 99", "fr.nir", "sécu securite sécurité nir insee", shape="[1-8][0-9]{2}(?:0[1-9]|1[0-2]|[2-9][0-9])", alone=True, yes="2 95 10 99 126 111 93", no="2 95 10 99 126 111 94"),
    _n("fr-nif", "9999999999999|99 99 999 999 999", "fr.nif", "fiscal spi impot", yes="numéro fiscal 3023217600053"),
    _n("fr-passport", "99AA99999", None, "passeport passport", "PASSPORT", yes="passeport 12AB34567"),
    _n("be-nn", "99.99.99-999.99|99999999999|99 99 99 999 99|99.99.99.999.99|999999-999-99", checks.belgian, "registre rijksregister national niss insz", shape="[0-9]{2}[0-5]", alone=True, yes="85.07.30-033.28", no="85.07.30-033.29"),
    _n("be-bis", "99.99.99-999.99|99999999999|99 99 99 999 99", "be.bis", "registre rijksregister bis niss insz", yes="BIS 98 47 28 997 65"),
    _n("nl-bsn", "999999999|9999.99.999|999.999.999|9999 99 999", "nl.bsn", "bsn burgerservice sofi", yes="BSN 111222333"),
    # Spain, Portugal, Italy
    _n("es-nif", "99999999A|9999999A|99999999-A|9999999-A|99.999.999-A", "es.dni", "dni nif", alone=True, yes="54362315K", no="54362315A"),
    _n("es-nie", "A9999999A|A-9999999-A|A-9999999A|A9999999-A", "es.nie", "nie extranjero", alone=True, yes="X2482300W", no="X2482300A"),
    _n("es-passport", "AAA999999|AAA999999A", None, "pasaporte passport", "PASSPORT", yes="pasaporte AAA123456"),
    _n("es-cif", "A99999999|A9999999A", "es.cif", "cif empresa", "TAX_ID", yes="CIF J99216582"),
    _n("es-ccc", "99999999999999999999|9999 9999 99 9999999999|9999-9999-99-9999999999", "es.ccc", "cuenta ccc", "BANK", alone=True, yes="1234-1234-16-1234567890"),
    _n("pt-nif", "999999999|999 999 999", "pt.nif", "nif contribuinte fiscal", yes="NIF 501964843"),
    _n("pt-cc", "999999999AA9|99999999 9 AA9|99999999 9AA9", "pt.cc", "cartão cidadão", alone=True, yes="00000000 0 ZZ4"),
    _n("it-fiscal-code", "AAAAAA99A99A999A", checks.calendar, "fiscale", alone=True, yes="RCCMNL83S18D969H"),
    _n("it-vat", "99999999999", "it.iva", "iva partita", "TAX_ID", yes="partita IVA 00743110157"),
    _n("it-driving", "AA9999999A|A9A99A999A", None, "patente guida licenza", "LICENSE", alone=False, yes="patente AB1234567C"),
    _n("it-identity-card", "AA99999AA|9999999AA|AA9999999|AA 9999999", None, "carta identit", yes="carta d'identità CA12345AA"),
    _n("it-passport", "AA9999999", None, "passaporto passport", "PASSPORT", yes="passaporto YA1234567"),
    # The North
    _n("se-personnummer", "999999-9999|999999+9999", checks.swedish, "personnummer pnr", alone=True, yes="880320-0016"),
    _n("se-personnummer-long", "99999999-9999|999999999999|99999999 9999", checks.swedish_long, "personnummer pnr", alone=True, yes="19880320-0016"),
    _n("se-personnummer-plain", "9999999999", checks.swedish, "personnummer pnr", yes="personnummer 8803200016"),
    _n("se-organisation", "999999-9999", checks.swedish_organisation, "orgnr organisationsnummer", "TAX_ID", alone=True, yes="556703-7485"),
    _n("se-organisation-plain", "9999999999", checks.swedish_organisation, "orgnr orgnummer organisationsnummer", "TAX_ID", yes="orgnr 5567037485"),
    _n("no-fodselsnummer", "99999999999|999999 99999", checks.norwegian, "fødselsnummer fodselsnummer personnummer", shape="(?:[04][1-9]|[1256][0-9]|[37][01])(?:[048][1-9]|[159][0-2])", alone=True, yes="151086 95088", no="151086 95089"),
    _n("dk-cpr", "999999-9999", checks.date6_reversed, "cpr personnummer", alone=True, yes="211062-5629"),
    _n("dk-cpr-plain", "9999999999", checks.date6_reversed, "cpr personnummer", yes="CPR 2110625629"),
    _n("fi-hetu", "999999-999A|999999A999A|999999+999A|999999-9999|999999A9999|999999+9999", checks.finnish, "hetu henkilötunnus", alone=True, yes="131052-308T"),
    _n("is-kennitala", "999999-9999", "is_.kennitala", "kennitala", yes="kennitala 120174-3399"),
    # The East of Europe and the Balkans
    _n("pl-pesel", "99999999999", checks.polish, "pesel", shape=f"[0-9]{{2}}(?:[02468][1-9]|[13579][0-2]){_DD}", alone=True, yes="44051401359", no="44051401358"),
    _n("pl-nip", "999-999-99-99|999-99-99-999|9999999999", "pl.nip", "nip", "TAX_ID", yes="NIP 856-734-62-15"),
    _n("cz-sk-birth-number", "999999/9999|999999/999", "cz.rc", "rodné rodne rc", alone=True, yes="710319/2745"),
    _n("ro-cnp", "9999999999999", "ro.cnp", "cnp", shape=f"[1-9][0-9]{{2}}{_MM}{_DD}", alone=True, yes="1630615123457", no="1630615123458"),
    _n("bg-egn", "9999999999", "bg.egn", "egn егн", yes="EGN 7523169263"),
    _n("hr-oib", "99999999999", "hr.oib", "oib", yes="OIB 33392005961"),
    _n("si-emso", "9999999999999", "si.emso", "emšo emso", shape=f"{_DD}{_MM}", alone=True, yes="0101006500006", no="0101006500007"),
    _n("ee-ik-lt", "99999999999", "ee.ik", "isikukood asmens", yes="isikukood 36805280109"),
    _n("gr-amka", "99999999999", checks.greek, "amka αμκα", shape=f"{_DD}{_MM}", alone=True, yes="01013099997", no="31133099990"),
    _n("ua-rntrc", "9999999999", "ua.rntrc", "ипн іпн рнокпп", yes="РНОКПП 1759013776"),
    _n("ru-inn", "999999999999|9999999999", "ru.inn", "инн inn налогоплательщика", yes="ИНН 7707083893"),
    _n("ru-snils", "999-999-999 99|99999999999", None, "снилс snils", yes="СНИЛС 112-233-445 95"),
    _n("ru-passport", "99 99 999999|9999 999999", None, "паспорт passport", "PASSPORT", yes="паспорт 45 08 123456"),
    _n("tr-id", "99999999999", checks.turkish, "kimlik tckn tc", alone=True, yes="17291716060", no="17291716061"),
    _n("il-id", "999999999|99999999-9|9999999-9", "il.idnr", "תעודת teudat zehut israeli", yes="teudat zehut 039337423"),
    # The Americas
    _n("br-cpf", "999.999.999-99", "br.cpf", "cpf", alone=True, yes="390.533.447-05", no="390.533.447-06"),
    _n("br-cpf-plain", "99999999999", "br.cpf", "cpf", yes="CPF 39053344705"),
    _n("br-cnpj", "99.999.999/9999-99", "br.cnpj", "cnpj", "TAX_ID", alone=True, yes="16.727.230/0001-97", no="16.727.230/0001-98"),
    _n("ar-dni", "99.999.999", None, "dni", yes="DNI 20.123.456"),
    _n("ar-cuit", "99-99999999-9", "ar.cuit", "cuit cuil", alone=True, yes="20-05536168-2"),
    _n("cl-rut", "99.999.999-9|99.999.999-A|99999999-9|99999999-A|9.999.999-9", "cl.rut", "rut run", alone=True, yes="12.531.909-2"),
    _n("co-nit", "999999999-9|999.999.999-9", "co.nit", "nit", "TAX_ID", yes="NIT 213123432-1"),
    _n("mx-curp", "AAAA999999AAAAAAA9|AAAA999999AAAAAA99", "mx.curp", "curp", alone=True, yes="BOXW310820HNERXN09"),
    _n("mx-rfc", "AAAA999999AA9|AAAA999999AAA|AAAA999999999|AAAA999999A99|AAAA9999999A9|AAAA99999999A|AAAA9999999AA", "mx.rfc", "rfc", alone=True, yes="GODE561231GR8"),
    _n("ec-ci", "9999999999|999999999-9", "ec.ci", "cédula cedula ci", yes="cédula 1714307103"),
    _n("pe-dni", "99999999", None, "dni", yes="DNI 10117410"),
    _n("do-cedula", "999-9999999-9", "do.cedula", "cédula cedula", alone=True, yes="001-1391820-5"),
    _n("uy-rut", "999999999999", "uy.rut", "rut", "TAX_ID", yes="RUT 217315100017", no="RUT 217315100018"),
    # Asia, Africa, the Pacific
    _n("in-aadhaar", "9999 9999 9999|9999-9999-9999|9999:9999:9999", checks.aadhaar, "aadhaar aadhar uid uidai", alone=True, yes="2341 2341 2346", no="2341 2341 2347"),
    _n("in-aadhaar-plain", "999999999999", checks.aadhaar, "aadhaar aadhar uidai", yes="Aadhaar 234123412346"),
    _n("in-pan", "AAAAA9999A", checks.pan, "pan permanent", alone=True, yes="ACUPA7085R"),
    _n("in-gstin", "99AAAAA9999A9A9|99AAAAA9999AAA9|99AAAAA9999A9AA", checks.gstin, "gst gstin", "TAX_ID", alone=True, yes="27AAPFU0939F1ZV"),
    _n("in-voter", "AAA9999999", None, "voter vote epic election", yes="voter id WKH1186253"),
    _n("in-passport", "A9999999", None, "passport", "PASSPORT", yes="passport A2345678"),
    _n("in-vehicle", "AA99AA9999|AA99A9999", None, "vehicle registration plate", "LICENSE", yes="vehicle MH12DE1433", no="article MH12DE1433"),
    _n("cn-ric", "999999999999999999|99999999999999999A", checks.chinese, "身份证 resident identity", alone=True, yes="360426199101010071", no="360426199101010072"),
    _n("kr-rrn", "999999-9999999", checks.korean, "주민등록 rrn frn resident foreigner", alone=True, yes="971013-9019902"),
    _n("kr-rrn-plain", "9999999999999", checks.korean_checked, "주민 외국인 rrn frn resident foreigner", shape=f"[0-9]{{2}}{_MM}{_DD}[1-9]", alone=True, yes="9710139019902"),
    _n("kr-brn", "999-99-99999", "kr.brn", "brn business 사업자", "TAX_ID", alone=True, yes="116-82-00276"),
    _n("kr-brn-plain", "9999999999", "kr.brn", "brn 사업자", "TAX_ID", yes="BRN 1168200276"),
    _n("kr-driver", "99-99-999999-99", None, "driver license 운전면허 면허", "LICENSE", alone=True, yes="driver license 11-22-123456-12"),
    _n("kr-driver-plain", "999999999999", None, "운전면허 면허 driver", "LICENSE", yes="면허 112212345612", no="주문 112212345612"),
    _n("kr-passport", "A99999999", None, "passport 여권", "PASSPORT", yes="passport M12345678"),
    _n("kr-passport-new", "A999A9999", checks.korean_passport, "passport 여권", "PASSPORT", alone=True, yes="M123A4567"),
    _n("jp-my-number", "9999 9999 9999|999999999999", "jp.in_", "マイナンバー 個人番号 individual number", yes="individual number 6214 9832 0257"),
    _n("th-id", "9-9999-99999-99-9", "th.pin", "thai บัตร ประชาชน", alone=True, yes="3-1006-00445-63-5"),
    _n("th-id-plain", "9999999999999", "th.pin", "thai tnin thailand บัตร ประชาชน citizen", yes="Thai ID 3100600445635"),
    _n("sg-nric", "A9999999A", checks.singapore, "nric fin", alone=True, yes="S1234567D", no="S1234567A"),
    _n("sg-uen", "999999999A|99999999A|A99AA9999A", "sg.uen", "uen", "TAX_ID", alone=True, yes="201434292D"),
    _n("my-nric", "999999-99-9999", "my.nric", "mykad nric kad", alone=True, yes="770305-02-1234"),
    _n("id-nik", "9999999999999999", None, "nik ktp", yes="NIK 3171011708450001"),
    _n("ph-tin", "999-999-999-999|999-999-999|999999999999|999999999|999-999-999-99999", checks.philippine, "tin tax bir", "TAX_ID", yes="TIN 000-123-456-001"),
    _n("ph-sss", "9999-9999999-9|99-9999999-9", None, "sss umid crn gsis", yes="SSS 8778-9328792-1", no="part 8778-9328792-1"),
    _n("vn-mst", "9999999999|9999999999-999", "vn.mst", "mst thuế", "TAX_ID", yes="MST 0100233488"),
    _n("pk-cnic", "99999-9999999-9", "pk.cnic", "cnic", alone=True, yes="34201-0891231-8"),
    _n("hk-id", "A999999(9)|AA999999(9)|A999999(A)", None, "hkid", yes="HKID A123456(3)"),
    _n("tw-id", "A999999999", None, "身分證 taiwan", yes="taiwan id A123456789"),
    _n("au-tfn", "999 999 999|999999999|99 999 999", checks.australian_tax, "tfn tax file", yes="TFN 123 456 782"),
    _n("au-medicare", "9999 99999 9|9999999999|9999 99999", checks.medicare_au, "medicare", yes="Medicare 2123 45670 1"),
    _n("au-abn", "99 999 999 999", checks.abn, "abn", "TAX_ID", alone=True, yes="51 824 753 556", no="51 824 753 557"),
    _n("au-abn-plain", "99999999999", checks.abn, "abn business", "TAX_ID", yes="ABN 51824753556"),
    _n("au-acn", "999 999 999|999999999", "au.acn", "acn company", "TAX_ID", yes="ACN 004 085 616"),
    _n("au-passport", "A9999999|AA9999999", None, "passport", "PASSPORT", yes="passport PA1234567", no="part PA1234567"),
    _n("nz-ird", "99-999-999|999-999-999|99999999|999999999|9999999-9|99999999-9", "nz.ird", "ird", "TAX_ID", yes="IRD 49-091-850"),
    _n("za-id", "9999999999999|999999 9999 999|999999 9999 99 9", checks.south_african, "south africa rsa", shape=f"[0-9]{{2}}{_MM}{_DD}[0-9]{{4}}[0-2]", alone=True, yes="7503305044089", no="7503305044088"),
    _n("eg-tn", "999-999-999", "eg.tn", "tax ضريب", "TAX_ID", yes="tax 100-531-385"),
    _n("ke-pin", "A999999999A", "ke.pin", "kra pin", "TAX_ID", alone=True, yes="P051365947M"),
    # Taxes on sales
    _n("de-vat", "AA999999999|AA 999999999|AA 999 999 999|AA-999-999-999", "de.vat", _SALES, "TAX_ID", shape="DE", alone=True, yes="DE136695976", no="DE136695975"),
    _n("eu-vat-8", "AA99999999|AA 99999999|AA-99999999|AA 9999999-9", "eu.vat", _SALES, "TAX_ID", shape="FI|DK|SI|LU|MT|HU|CZ|RO", yes="VAT FI20774740", no="part FI20774740"),
    _n("eu-vat-9", "AA999999999|AA 999999999|AA 999 999 999", "eu.vat", _SALES, "TAX_ID", shape="PT|EL|GR|EE|LT|BG|CZ|RO|BE", yes="VAT PT501964843"),
    _n("eu-vat-10", "AA9999999999|AA 9999999999|AA 9999 999 999|AA 9999.999.999", "eu.vat", _SALES, "TAX_ID", shape="BE|PL|SK|BG|CZ|RO", yes="TVA BE0697449992"),
    _n("eu-vat-11", "AA99999999999|AA 99999999999|AA 99 999 999 999|AA99 999 999 999|AA99 999999999|AA 9999 9999 999", "eu.vat", _SALES, "TAX_ID", shape="IT|HR|LV|FR", yes="IVA IT00743110157"),
    _n("eu-vat-12", "AA999999999999|AA 999999999999", "eu.vat", _SALES, "TAX_ID", shape="SE|LT", yes="moms SE556012579001"),
    _n("eu-vat-lettered", "AAA99999999|AA99999999A|AAA9999999A|AA9999999A|AA9999999AA|AA999999999A99|AA 999999999A99", "eu.vat", _SALES, "TAX_ID", shape="ATU|ES|IE|CY|NL", yes="USt-IdNr ATU13585627"),
    _n("gb-vat", "AA999999999|AA 999 9999 99|AA999 9999 99|AA 999999999", "gb.vat", "vat", "TAX_ID", shape="GB|XI", yes="VAT GB 980 7806 84"),
    _n("ch-uid", "AAA999999999", "ch.uid", _SALES + " uid unternehmens", "TAX_ID", shape="CHE", yes="UID CHE100155212"),
    # Other numbers of people and firms, by the name they go by
    _n("de-tax-number", "999/999/99999|99/999/99999|999/9999/9999|99/9999/9999|999/999/9999 9|9999999999999", "de.stnr", "steuernummer steuernr stnr st finanzamt", "TAX_ID", yes="Steuernummer 181/815/08155"),
    _n("at-tin", "99-999/9999|99 999/9999|99999/9999", "at.tin", "abgabenkonto steuernummer", "TAX_ID", yes="Abgabenkontonummer 59-119/9013"),
    _n("fr-siren", "999999999|999 999 999", "fr.siren", "siren", "TAX_ID", yes="SIREN 404833048"),
    _n("fr-siret", "99999999999999|999 999 999 99999", "fr.siret", "siret", "TAX_ID", yes="SIRET 73282932000074"),
    _n("nl-vat", "999999999A99", "nl.btw", "btw omzetbelasting", "TAX_ID", yes="btw 004495445B01"),
    _n("dk-cvr", "99999999|99 99 99 99", "dk.cvr", "cvr", "TAX_ID", yes="CVR 13585628"),
    _n("no-organisation", "999999999|999 999 999", "no.orgnr", "orgnr organisasjonsnummer mva", "TAX_ID", yes="orgnr 988 077 917"),
    _n("no-account", "9999 99 99999|9999.99.99999|99999999999", "no.kontonr", "konto kontonr kontonummer", "BANK", yes="kontonummer 8601 11 17947"),
    _n("cz-sk-birth-number-plain", "9999999999|999999999", "cz.rc", "rodné rodne rc rč", yes="rodné číslo 7103192745"),
    _n("pl-regon", "999999999|99999999999999", "pl.regon", "regon", "TAX_ID", yes="REGON 192598184"),
    _n("ro-cui", "99999999|9999999", "ro.cui", "cui cif", "TAX_ID", yes="CUI 18547290"),
    _n("bg-pnf", "9999999999|9999 999 999", "bg.pnf", "лнч pnf", yes="ЛНЧ 7111 042 925"),
    _n("lt-asmens", "99999999999", "lt.asmens", "kodas lithuanian", yes="asmens kodas 33309240064"),
    _n("lv-person", "999999-99999|99999999999", "lv.pvn", "personas kods", yes="personas kods 161175-19997"),
    _n("mk-edb", "9999999999999", "mk.edb", "едб edb", "TAX_ID", yes="ЕДБ 4030000375897"),
    _n("li-peid", "99999999999", "li.peid", "peid", yes="PEID 00001234567"),
    _n("gb-upn", "A999999999999", "gb.upn", "upn pupil", yes="UPN B801200005001"),
    _n("us-tin", "999-99-9999", "us.tin", "tin atin", yes="TIN 912-70-1234"),
    _n("us-ptin", "A99999999", "us.ptin", "ptin preparer", yes="PTIN P00634642"),
    _n("ca-bc-health", "9999 999 999|9999999999", "ca.bc_phn", "phn health", yes="PHN 9698 658 215"),
    _n("ca-business", "99999 9999|999999999|999999999AA9999", "ca.bn", "bn business", "TAX_ID", yes="BN 12302 6635"),
    _n("mx-rfc-company", "AAA999999AA9|AAA999999999|AAA9999999A9|AAA99999999A", "mx.rfc", "rfc", "TAX_ID", yes="RFC MAB9307148T4"),
    _n("cr-cpf", "9-9999-9999|99-9999-9999", "cr.cpf", "cédula cedula física", yes="cédula 3-0455-0175"),
    _n("cu-ni", "99999999999", "cu.ni", "identidad carnet", yes="carnet de identidad 91021027775"),
    _n("do-rnc", "999-99999-9|999999999|9-99-99999-9", "do.rnc", "rnc", "TAX_ID", yes="RNC 1-01-85004-3"),
    _n("gt-nit", "9999999-9|9999999-A|999999-9|999999-A", "gt.nit", "nit", "TAX_ID", yes="NIT 576937-K"),
    _n("pe-ruc", "99999999999", "pe.ruc", "ruc", "TAX_ID", yes="RUC 20512333797"),
    _n("pe-cui", "99999999-9|99999999", "pe.cui", "cui identidad", yes="CUI 10117410-2"),
    _n("py-ruc", "99999999-9|9999999-9", "py.ruc", "ruc", "TAX_ID", yes="RUC 80028061-0"),
    _n("ve-rif", "A999999999|A-99999999-9", "ve.rif", "rif", "TAX_ID", yes="RIF V114702834"),
    _n("ar-cbu", "9999999999999999999999|99999999 99999999999999", "ar.cbu", "cbu", "BANK", yes="CBU 2850590940090418135201"),
    _n("tr-tax", "9999999999", "tr.vkn", "vkn vergi", "TAX_ID", yes="VKN 4540536920"),
    _n("th-tax", "9-99-9-999-99999-9|9999999999999", "th.tin", "tin thai thailand", "TAX_ID", yes="TIN 0-99-4-000-61772-1"),
    _n("id-npwp", "99.999.999.9-999.999|999999999999999", "id.npwp", "npwp", "TAX_ID", yes="NPWP 01.312.166.0-091.000"),
    _n("in-vid", "9999999999999999|9999 9999 9999 9999", "in_.vid", "vid virtual", yes="VID 2341234123412341"),
    _n("nz-account", "99-9999-9999999-99|99-9999-9999999-999", "nz.bankaccount", "account bank", "BANK", yes="account 01-0242-0100194-00"),
    _n("za-tin", "9999999999", "za.tin", "tin tax sars", "TAX_ID", yes="tax 0001339050"),
    _n("gh-tin", "A9999999999", "gh.tin", "tin", "TAX_ID", yes="TIN C0000803561"),
    _n("imei", "999999999999999|99-999999-999999-9|99999999-999999-9|99999999-999999-99", "imei", "imei", "PERSONAL", yes="IMEI 490154203237518"),
    _n("imsi", "999999999999999", "imsi", "imsi", "PERSONAL", yes="IMSI 429011234567890"),
    # Anything that a word beside it names
    _n("passport", "A9999999|A99999999|AA999999|AA9999999|99999999|999999999|A999999|AA99999|99AA99999|A9A999999", None, "passport passeport reisepass pasaporte passaporto paspoort identiteitskaart", "PASSPORT", yes="passport number X1234567"),
    _n("driving-licence", "A99999999|A9999999|A999999999999|A9999-99999-99999|999999999|99999999|9999999|AA999999|AA999999A|A999-9999-9999|A99-99-9999|AA99999999|A999-999-99-999-9|999 999 999|A999999999999A", None, "licence license permis führerschein fahrerlaubnis", "LICENSE", yes="driver's license D12345678", no="driver D12345678"),
    _n("bank-account", "99999999|999999999|9999999999|99999999999|999999999999|9999999|9999999999999|99999999999999", None, "account acct konto compte bank", "BANK", yes="account number 945456787654"),
    _n("national-id", "99999999|999999999|9999999999|99999999999|999999999999|9999999999999|A99999999|A9999999|AA999999|99-99999999-9", None, "national-id nationalid", yes="national-id: 123456789"),
)  # fmt: skip
