"""Secrets that what stands around them gives away: assignments, headers, URLs, sentences, command lines, disguises."""

from __future__ import annotations

import base64
import json
import urllib.parse

import hypothesis.strategies as st
import pytest
from hypothesis import example, given

from agentlogsafe.redaction import Redactor, Report, compile_policy, redact
from tests.redaction.fuzz import ALPHABET, FRAGMENTS
from tests.redaction.objects import CANARY

GIVEN_AWAY = (
    "password={}", "password: {}", "PASSWORD = '{}'", '"password": "{}"', "'password' => '{}'", "password := `{}`", "db.password={}", "export API_KEY={}", 'api_key: "{}",', "apiKey='{}';",  # noqa: E501 - a pattern or a table row reads as one line
    'secret_key ::= "{}"', '$token .= "{}"', 'var userToken string = "{}"', 'System.setProperty("API_TOKEN", "{}")', "<password>{}</password>", "<clientSecret>\n  {}\n</clientSecret>",  # noqa: E501 - a pattern or a table row reads as one line
    "Authorization: Bearer {}", "authorization: Token {}", "Proxy-Authorization: Basic {}", "X-Api-Key: {}", "Cookie: session={}; theme=dark", "curl -H 'Authorization: Bearer {}' https://x.example",  # noqa: E501 - a pattern or a table row reads as one line
    "--password {}", "--token={}", '--api-key "{}"', "mysql -u root -p{} db", "PGPASSWORD={} psql", "postgres://user:{}@db.example/x", "mongodb://user:{}@%2Ftmp%2Fmongodb.sock/x", "postgres://user:{}@/x", "redis://:{}@cache:6379",  # noqa: E501 - a pattern or a table row reads as one line
    "Server=x;User Id=sa;Password={};Encrypt=yes", "AccountName=x;AccountKey={};EndpointSuffix=y", "my password is {}", "the secret is {}", "CREATE USER x IDENTIFIED BY '{}'", "https://x.example/cb?code=1&access_token={}&state=2",  # noqa: E501 - a pattern or a table row reads as one line
    "grant_type=password&username=u&password={}", "User(name='x', password='{}')", "{{'password': '{}'}}", "```yaml\npassword: {}\n```", "line one\npassword: {}\nline three", "pw:{}", "user pwd: {}", "password                = '{}'", "비밀번호: {}", "mot de passe: {}", "CREATE USER x IDENTIFIED BY {}", "password for admin: {}", "the api key is {}", "ID/PW admin/{}", '<password type="text">{}</password>', "define( 'PASSWORD' , '{}');", "-Dsonar.login={}", "psexec \\\\host -u Administrator -p {}", 'ConvertTo-SecureString "{}" -AsPlainText',  # noqa: E501 - a pattern or a table row reads as one line
    "the new password for user 'postgres' is '{}'", "password: |\n  {}\nuser: x", "requests.get(url, auth=('me', '{}'))", "echo {} | docker login -u me --password-stdin", "echo 'bob:{}' | chpasswd", "secret_key_base: {}",  # noqa: E501 - a pattern or a table row reads as one line
    "Password for 'https://me.example': {}", "Password-{}"[:9] + "={}",
)  # fmt: skip


@pytest.mark.parametrize("frame", GIVEN_AWAY)
def test_given_away(frame):
    """A secret goes wherever its name stands beside it, and only the secret."""
    text = frame.format(CANARY)
    out = redact(text)
    assert CANARY not in out
    head = frame.partition("{}")[0].replace("{{", "{")
    assert out.startswith(head) or "p{}" in frame or frame.startswith("Cookie")
    assert redact(out) == out


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("curl -u admin:s3cret99 https://x.example", "curl -u [PASSWORD] https://x.example"),
        ("curl -u 'k3yWithoutPass9:' https://x.example", "curl -u '[PASSWORD]' https://x.example"),
        ("docker run -u 1000:1000 x", "docker run -u 1000:1000 x"),
        ("docker run -u 501:staff x", "docker run -u 501:staff x"),
    ],
)
def test_user_and_password(text, out):
    """What a command takes as user and password is one credential; a container's user and group are none."""
    assert redact(text) == out


@pytest.mark.parametrize(
    ("text", "out"),
    [
        (f"Command '['curl', '-u', 'bob:{CANARY}', 'x']' failed", "Command '['curl', '-u', '[PASSWORD]', 'x']' failed"),
        (f'run ["curl", "--user", "bob:{CANARY}"]', 'run ["curl", "--user", "[PASSWORD]"]'),
        (f"['mysql', '-u', 'root', '-p{CANARY}']", "['mysql', '-u', 'root', '-p[PASSWORD]']"),
        ("['docker', 'run', '-u', '1000:1000'], '-u': 'x: y'", "['docker', 'run', '-u', '1000:1000'], '-u': 'x: y'"),
    ],
)
def test_command_in_brackets(text, out):
    """A command's list of words in a text, as a CalledProcessError has it, is read as a command."""
    assert redact(text) == out


@pytest.mark.parametrize(
    "frame",
    [
        '{{"name": "DB_PASSWORD", "value": "{}"}}', "- name: DB_PASSWORD\n  value: {}", '<add key="ApiKey" value="{}"/>', '<input name="csrf_token" value="{}">',  # noqa: E501 - one row of a table
        '<property name="password">{}</property>', 'settings: [{{"Key": "api_key", "Value": "{}"}}]', '"name": "access_token",\n  "value": "{}"',  # noqa: E501 - one row of a table
    ],
)  # fmt: skip
def test_name_beside_value(frame):
    """A secret goes where its name is the value of another name, as in variables, headers and forms."""
    out = redact(frame.format("s3cret99value"))
    assert "s3cret99value" not in out
    assert redact(out) == out


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "region", "value": "eu-west-1"}', '{"key": "password", "value": "Password"}', '{"name": "max_tokens", "value": "4096"}', "name: parser value: 12",  # noqa: E501 - one row of a table
        "brotli>=1.2.0.4", "rows[::2]", "commit 61304007d", "d421a9486 fix", "blk_-4684475480143348818", '"cookie": "^1.1.1"', 'api_key: "API_KEY_GOES_HERE"', "Cell:0x7f8efb898930",  # noqa: E501 - one row of a table
        "the next page token is CAUQAA8xk2l3m4n5o6p7", "the key is in the drawer", "sort_key=145448741", "http://localhost:4873/react@18.2.0", "cache_key=9f8e7d6c5b4a39281706f5e4d3c2b1a0", "foo_key=user1:profile:v2:abc123def456", "foo_key=customer_address_list", "s3_key=uploads/2025/01/a1b2c3d4.png",  # noqa: E501 - one row of a table
        "foo_key=9f5c17d2-957e-4dda-ae24-811274ed88e5", "PWD=/home/agent1/x", 'docker run -v "$PWD":/scan x', "auth: Auth::Unauthenticated,", "identified by agent42", "re-identified as `np.pwhash.1`.",  # noqa: E501 - one row of a table
        "the hashed password ([73](https://example.com/pull/73))", "if account.token != KEYRING_SENTINEL:", ".text:00400635   4883c480", "x + 2.34303484", "driver loaded at 361544528",  # noqa: E501 - one row of a table
    ],
)  # fmt: skip
def test_innocent_lookalikes(text):
    """What only looks like a credential or a number stays."""
    assert redact(text) == text


@pytest.mark.parametrize(
    ("text", "out"),
    [
        ("your verification code is 482913.", "your verification code is [PASSWORD]."),
        ("Your one-time code is: 482 913", "Your one-time code is: [PASSWORD]"),
        ("the exit code is 137137", "the exit code is 137137"),
        (f"seed phrase: {'abandon ability able ' * 4}\nok", "seed phrase: [SECRET] \nok"),
        (f'{{"mnemonic": "{" ".join(["legal"] * 12)}"}}', '{"mnemonic":"[SECRET]"}'),
        ("the phrase: it is what it is", "the phrase: it is what it is"),
    ],
)
def test_codes_and_phrases(text, out):
    """Codes that a sentence tells go, and the dozen words that open a wallet."""
    assert redact(text) == out


def test_coloured():
    """A token is found behind the escape sequence that colours it, however that is written."""
    for sequence in ("\x1b[93m", "\\x1b[93m", "\\u001b[1;31m", "\\033[0m"):
        assert redact(f"{sequence}sk-615ef152bf865a131f88b23571dc4ee6").endswith("[API_KEY]")


def test_key_of_anything():
    """Under a key of unknown use, what looks random is a secret."""
    assert redact("fooKey: 'b9dgkd4atdrm1tl7mdsrciiijh087fp3'") == "fooKey: '[API_KEY]'"
    assert redact("Using airbrake Key=7B759RwRR5Txo9pDxXtPNcrTOj0zhvmR") == "Using airbrake Key=[API_KEY]"
    assert redact({"foo_key": "b9dgkd4atdrm1tl7mdsrciiijh087fp3"}) == {"foo_key": "[API_KEY]"}
    assert redact({"foo_key": "hello", "n_key": 12}) == {"foo_key": "hello", "n_key": 12}


def test_cut_off():
    """A secret whose closing quote was cut off goes, too."""
    assert redact('{"password": "s3cret99val') == '{"password": "[PASSWORD]'


SPARED = (
    "password", "password:", "The password: please reset it soon", "password is required", "forgot your password?", "token: expired", "secret santa", "password=None", "password: null",  # noqa: E501 - a pattern or a table row reads as one line
    "api_key=YOUR_API_KEY", "password=${DB_PASSWORD}", "password=$DB_PASSWORD", "password={{ vault_password }}", "password: <your password>", "token=os.environ['TOKEN']", "password=getpass.getpass()",  # noqa: E501 - a pattern or a table row reads as one line
    "password: str", "token: Optional[str] = None", "max_tokens=4096", "total_tokens: 12345", "next_page_token=CAUQAA", "the token count is 512", "password=********", "password = xxxxxxxx", "key=value", "primary_key=42",  # noqa: E501 - a pattern or a table row reads as one line
    "Authorization: Bearer", "auth: none", "cookie_consent=accepted", "Error: wrong password for admin", "pass the salt", "passed 12 of 12 tests", "-p 8080:80", "grep -u foo", "basic training", "bearer of news",  # noqa: E501 - a pattern or a table row reads as one line
)  # fmt: skip


@pytest.mark.parametrize("text", SPARED)
def test_spared(text):
    """Names, placeholders, code and prose about secrets stay."""
    assert redact(text) == text


def test_urls_keep_their_shape():
    """Only the secret part of a URL goes."""
    assert (
        redact("https://user:pa55word@host.example:8443/p?q=1#f") == "https://user:[PASSWORD]@host.example:8443/p?q=1#f"
    )
    url = "https://b.s3.amazonaws.com/k.txt?X-Amz-Date=20260101T000000Z&X-Amz-Signature=" + "4f0c9a7b" * 8
    assert redact(url) == url[: url.rindex("=") + 1] + "[SECRET]"
    assert redact("git@github.com:org/repo.git") == "git@github.com:org/repo.git"


def test_structure_stays_parseable():
    """JSON, query strings and header blocks are given back in their own syntax."""
    assert json.loads(redact(json.dumps({"a": {"password": CANARY}, "b": [1, None]}))) == {
        "a": {"password": "[PASSWORD]"},
        "b": [1, None],
    }
    query = urllib.parse.parse_qs(redact("user=mia&password=" + CANARY + "&x=1"))
    assert query == {"user": ["mia"], "password": ["[PASSWORD]"], "x": ["1"]}
    assert (
        redact("Host: x.example\r\nAuthorization: Bearer " + CANARY + "\r\nAccept: */*")
        == "Host: x.example\r\nAuthorization: Bearer [TOKEN]\r\nAccept: */*"
    )


@pytest.mark.parametrize(
    "text",
    [
        "mia\u200b.li@exam\u200bple.com", "card \uff14\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11 \uff11\uff11\uff11\uff11", "mia.li%40example.com", "mia.li&#64;example.com", "mia.li\\u0040example.com", "mia.li\\x40example.com",  # noqa: E501 - a pattern or a table row reads as one line
        "pass\u200bword=" + CANARY, "card 4111\u00a01111\u00a01111\u00a01111", base64.b64encode(f"password={CANARY}".encode()).decode(), "%70assword%3D" + CANARY, "\u0664\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661\u0661",  # noqa: E501 - a pattern or a table row reads as one line
    ],
)  # fmt: skip
def test_disguises(text):
    """Zero-width characters, other digits, percent-encoding, entities, escapes and base64 hide nothing (44)."""
    out = redact(text)
    assert out != text
    assert out != "[UNREDACTABLE]"
    assert CANARY not in out
    assert redact(out) == out


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("given", [bytes, lambda raw: raw.decode("latin-1")])
def test_text_with_a_nul_between_two_letters(encoding, given):
    """Text in UTF-16 or UTF-32 that was read as something else hides nothing; the rest of it stays (38, 44)."""
    for text in (f"x password={CANARY}", "mail mia.li@example.com", "card 4111 1111 1111 1111"):
        out = redact(given(text.encode(encoding)))
        assert out.replace("\u2400", "").rpartition(" ")[2] in ("password=[PASSWORD]", "[EMAIL]", "[CARD]")
        assert redact(out) == out
    assert redact(given("plain".encode(encoding))).replace("\u2400", "") == "plain"
    assert redact(f"pass\x01word={CANARY}") == "pass\u2401word=[PASSWORD]"


@pytest.mark.parametrize("text", ["ghp_16C7e42F292c6912E7710c838347Ae178B4a", f"pwd='{CANARY}'", f"api_key: {CANARY}"])
@pytest.mark.parametrize("end", ["\\n", "\\r\\n", "\\t"])
def test_line_ends_as_code_writes_them(text, end):
    """What begins a line is found where the text was quoted by ``repr``, as that of a KeyError is."""
    out = redact(f"KeyError: 'one line{end}{text}{end}more'")
    assert CANARY not in out
    assert "16C7e42F" not in out
    assert out.startswith(f"KeyError: 'one line{end}")
    assert redact(out) == out


@pytest.mark.parametrize(
    ("text", "out"),
    [
        (f"got {{'password': ['{CANARY}']}} ok", "got {'password': ['[PASSWORD]']} ok"),
        (f'"api_keys": ["{CANARY}", "b{CANARY}"], "n": 1', '"api_keys": ["[API_KEY]", "[API_KEY]"], "n": 1'),
        (f"'authorization': {{'value': '{CANARY}', 'n': 5}}", "'authorization': {'value': '[SECRET]', 'n': 5}"),
        (f"password: {{'a': ['{CANARY}'], 'b': ('{CANARY}',)}}, c='plain'", "password: {'a': ['[PASSWORD]'], 'b': ('[PASSWORD]',)}, c='plain'"),  # noqa: E501 - a pattern or a table row reads as one line
        (f"User(password=['{CANARY}'])", "User(password=['[PASSWORD]'])"),
        ("x {'first_name': ['Mia', 'Lou']}", "x {'first_name': ['[NAME]', '[NAME]']}"),
        (f"passwords = [b'{CANARY}', u\"it's {CANARY}\"]", "passwords = [b'[PASSWORD]', u\"[PASSWORD]\"]"),
        (f"password=['unended {CANARY}", "password=['[PASSWORD]"),
        (f"password=[['x', '{CANARY}'", "password=[['x', '[PASSWORD]'"),
        ("'password': ['" + "', '".join([CANARY] * 100), "'password': ['" + "', '".join(["[PASSWORD]"] * 100)),
        ('"password": {"type": "string", "minLength": 8}', '"password": {"type": "string", "minLength": 8}'),
        ("password = ('a', 'b'), then 'Zq7x9kWv4K'", "password = ('a', 'b'), then 'Zq7x9kWv4K'"),
        ("passwords: [] and 'Zq7x9kWv4K'", "passwords: [] and 'Zq7x9kWv4K'"),
    ],
)  # fmt: skip
def test_values_in_brackets(text, out):
    """Where a list or a mapping stands behind a name in text, as ``repr`` writes it, what is quoted in it is judged."""
    assert redact(text) == out
    assert redact(out) == out


@pytest.mark.parametrize("text", ["b'\\x41\\x7a'", "\\u0041bc", "100%25 &amp; more", "%41%42", "tail \\x41"])
def test_escapes_alone_hide_nothing(text):
    """Escapes of something harmless stay as they are."""
    assert redact(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "born on 1990-04-05",
        "Date of birth: 5 April 1990",
        "DOB 04/05/1990",
        "birthday: April 5, 1990",
        "My date of birth is June 13th, 1990",
        "Ay\u015fe \u0131srarla: born on April 5, 1990",
    ],
)
def test_birth_dates(text):
    """A date that a word calls a birth date goes; other dates stay."""
    out = redact(text)
    assert "[BIRTH_DATE]" in out
    assert "1990" not in out
    assert redact(text.replace("irth", "ooking").replace("born", "booked").replace("DOB", "ETA")) != out


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        ("first_name: Mia", "Mia"), ('first_name: "mia"', "mia"), ("Full name: Mia Li, age 30", "Mia Li"), ("customer_name=Omar Davis;", "Omar Davis"), ("zip: 92164", "92164"), ("postcode: SW1A 1AA", "1AA"),  # noqa: E501 - a pattern or a table row reads as one line
        ("address: 281 Spruce Street, Suite 942", "Spruce"), ("address: '12 Elm Rd'", "Elm"), ("phone: 555 0100", "0100"), ("Phone:\n467 3395", "3395"), ("ssn=536-22-8147", "8147"), ("passport no: X1234567", "1234567"),  # noqa: E501 - a pattern or a table row reads as one line
        ("account number: 12345678 at the bank", "12345678"), ("date of birth: 1990-04-05", "1990"), ("my driver's license number is 6940579", "6940579"), ("Mi pasaporte es AaA123456", "123456"), ("dob='1990-04-05'", "1990"),  # noqa: E501 - a pattern or a table row reads as one line
        ("iban: XX00 1234 5678", "5678"), ("card number: 1234 5678 9012", "9012"), ("<first_name>Mia</first_name>", "Mia"), ("Authorization: Digest username=x, response=" + CANARY, CANARY), ("pin: 4821", "4821"), ("cvv=123", "123"),  # noqa: E501 - a pattern or a table row reads as one line
        ('CURLOPT_USERPWD, "root:dkb82VddSD"', "dkb82"), ('password: "ab\\"cd9xyz"', "cd9xyz"), ("password=" + "aB3" * 100 + " end", "aB3"), ("Cookie: a=" + "b1; c=" * 60 + "z", "b1"),  # noqa: E501 - a pattern or a table row reads as one line
    ],
)  # fmt: skip
def test_personal_assignments(text, gone):
    """What a personal or sensitive name announces goes from text, too."""
    out = redact(text)
    assert gone not in out
    assert redact(out) == out


@pytest.mark.parametrize(
    "text",
    ["address: localhost:8080", "address: 0x7ffe", "zip: archive", "name: get_weather", "first_name: string", "phone: none", "account: admin", "card: visa", "address: see below", "cookie: none", "auth: Basic", "phone verified: 1"],  # noqa: E501 - a pattern or a table row reads as one line
)  # fmt: skip
def test_personal_names_without_a_value(text):
    """A personal name with something else behind it stays."""
    assert redact(text) == text


def test_non_ascii_text():
    """Text in other scripts is redacted like any other."""
    assert redact("écris à mia@exemple.fr, merci – déjà vu …") == "écris à [EMAIL], merci – déjà vu …"
    clean = "Ünïcödé текст 文字 “quotes” – dashes … 🙂"
    assert redact(clean) is clean
    assert "用户" not in redact("写信给 用户@例子.中国 吧")


texts = st.lists(st.sampled_from(FRAGMENTS) | st.text(alphabet=ALPHABET, max_size=8), max_size=10).map("".join)


@given(st.lists(texts, min_size=1, max_size=4))
def test_gate_is_a_superset(parts):
    """What the gate calls clean, alone or joined, no detector changes."""
    scanner = compile_policy()._scanner
    joined = "\n".join(parts)
    if not scanner.suspicious(joined):
        for part in parts:
            assert scanner.scan(part, Report()) is part


@given(texts)
@example("Japan: IDENTIFIED BY 'Zq7x9k2p':Hunter22x")  # google-re2 takes the first word for a name
def test_same_with_and_without_re2(text):
    """The optional engine changes no byte."""
    pytest.importorskip("re2")
    with_it = compile_policy()
    without = Redactor(with_it.policy, with_it.policy.key(), 32, 1000)
    assert with_it._scanner._fast is not None
    without._scanner._fast = None
    long = text + " word" * 20
    assert with_it.copy(long, Report()) == without.copy(long, Report())


@given(texts)
def test_no_detector_stumbles(text):
    """No text is withheld because something in the package failed over it."""
    report = Report()
    compile_policy().copy(text, report)
    assert report.problems == []


@given(texts)
def test_twice_is_once(text):
    """A redacted text is not redacted again (43)."""
    once = redact(text)
    assert redact(once) == once


@pytest.mark.parametrize(
    "piece",
    [
        "a", "1", "1 ", "a@", "@", "password=", 'password="', "password:", "[EMAIL]", "a.", "://", "http://a:", "-----BEGIN PRIVATE KEY-----", "eyJ", "sk-", "::", "1:", "DE89 ", "%40", "&#64;", "\\u0040", "{", '{"a":',  # noqa: E501 - a pattern or a table row reads as one line
        "Bearer ", "Cookie: a=", "A9", "+1 ", "(", "born ", "secret is ", "-u a:", "\u200b", "\uff11", "AAAA", "x" * 30 + " ", "<password>", "ghp_" + "a" * 36 + " ", "4111 1111 1111 1111 ", "a1b2c3d4" * 4 + "-", "1234 ", "2234 5678 9012 ", "12345678901 ", "tax 123456789 ", "123.456.789-01 ",  # noqa: E501 - one row of a table
        "01 23 45 67 89 ", "00 1", "phone 5551234567 ", "1234567890 255.255.255.255DE89 3704 0044 0532 0130 01 ", "0123 456 789 @@ 1234 5678 9012 ", "token=Q~", "born 1990 ", "::1 ", "536-22-8147 \u0661",  # noqa: E501 - a pattern or a table row reads as one line
    ],
)  # fmt: skip
def test_time_grows_with_length_only(piece):
    """Work is bounded by length, whatever is repeated: counted in function calls rather than seconds."""
    small, large = (_calls((piece * (size // len(piece) + 1))[:size]) for size in (4_000, 16_000))
    assert large <= 8 * small + 2_000
    assert large <= 20 * 16_000


def _calls(text: str) -> int:
    import cProfile
    import pstats

    profile = cProfile.Profile()
    profile.runcall(redact, text)
    return pstats.Stats(profile).total_calls


@pytest.mark.parametrize(
    "text",
    [
        '{"password":"hunter2x","password":null}',
        '{"password"\n:"hunter2x","password"\t:null,"a":1}',
        '[{"password"  :"hunter2x","password":null,"z":"\\u0022: x"}, "\\": b"]',
    ],
)
def test_key_that_stands_twice(text):
    """A parser sees only the last value of a key; the first does not get through for that."""
    assert "hunter2x" not in redact(text)


def test_colons_in_json_are_no_keys():
    """JSON that is clean stays byte for byte, and is not read as text, whatever its strings look like."""
    for text in ('[": the password", "Zq7x9k2pLm"]', '{"a" : "b\\": c", "d":\n"e"}', '["\\\\u0022: password", ": x"]'):
        once = redact(text)
        assert redact(once) == once
    assert redact('{"a" : "b\\": c", "d":\n"e"}') == '{"a" : "b\\": c", "d":\n"e"}'


def test_packages_in_lock_files():
    """A package that is named as a credential is has its version and its hash in a list behind it, and no secret."""
    for line in (
        '"cookie": ["cookie@1.1.1", "", {}, "sha512-ei8Aos7ja0weRpFzJnEA9UHJ7XQmqglbRwnf"],',
        '"@tokenizer/token": ["@tokenizer/token@0.3.0", "", {}, "sha512-OvjF7z51L3ov0OyAU0duzsYuvO01PaX7x4t6DjAxrP3N5Yn"],',  # noqa: E501 - one line of a file
    ):
        assert redact(line) == line
    assert redact('"password": ["Admin@123", "Admin@2024.x1"]') == '"password": ["[PASSWORD]", "[PASSWORD]"]'
