"""What the place of a value gives away: arguments of calls, columns, elements, directives, command lines."""

from __future__ import annotations

import pytest

from agentlogsafe.redaction import redact

PLACED = (
    'requests.post(url, auth=HTTPBasicAuth("mia", "tulip99x"))', "smtp.login('mia@example.com', 'tulip99x')", 'new NetworkCredential("mia", "tulip99x")', 'builder.WithCredentials("mia", "tulip99x")',  # noqa: E501 - one row of a table
    'DriverManager.getConnection(url, "mia", "tulip99x")', '$c = mysqli_connect("db", "mia", "tulip99x", "shop");', "new PDO('mysql:host=x', $user, 'tulip99x')", "jwt.sign({ id }, 'tulip99x')",  # noqa: E501 - one row of a table
    'jwt.encode(payload, "tulip99x", algorithm="HS256")', 'hmac.new(b"tulip99x", msg, hashlib.sha256)', "crypto.createHmac('sha256', 'tulip99x')", 'auth.signInWithEmailAndPassword("m@example.com", "tulip99x")',  # noqa: E501 - one row of a table
    "INSERT INTO users (name, password) VALUES ('mia', 'tulip99x');", "INSERT INTO t (id, `api_token`, n) VALUES (1, 'a''b', 2), (2, 'tulip99x', 3)", 'variable "db_password" {\n  type = string\n  default = "tulip99x"\n}',  # noqa: E501 - one row of a table
    "<key>Password</key>\n<string>tulip99x</string>", "<AdminPassword><Value>tulip99x</Value></AdminPassword>", 'find_element(By.ID, "password").send_keys("tulip99x")', '#define WIFI_PASSWORD "tulip99x"', 'public string ApiToken { get; set; } = "tulip99x-tulip99x";', "setx DB_PASSWORD tulip99x", "vercel env add API_TOKEN tulip99x-tulip99x",  # noqa: E501 - one row of a table
    '(def api-token "tulip99x-tulip99x")', "ENV DB_PASSWORD tulip99x", "ENV API_TOKEN tulip99x-tulip99x", 'password: !str "tulip99x"', '"password" -> "tulip99x"', "settings.set('password', 'tuliptulipx')",  # noqa: E501 - one row of a table
)  # fmt: skip


@pytest.mark.parametrize("text", PLACED)
def test_placed(text):
    """A secret goes where its place in a call, a statement, a file or a command says what it is."""
    out = redact(text)
    assert "tulip" not in out
    assert redact(out) == out


@pytest.mark.parametrize(
    "text",
    [
        'HTTPBasicAuth("user", "password")', "client.login(username, password)", 'getConnection(url, "sa", "")', 'jwt.encode(payload, "secret")', "INSERT INTO t (id, name) VALUES (1, 'tulip99x')", "INSERT INTO users (password) VALUES (?)",  # noqa: E501 - one row of a table
        'variable "db_password" {\n  type = string\n}', "<key>Password</key>\n<string></string>", "#define TOKEN_MAX 128", "ENV PATH /usr/bin", "password: !vault |", "PASS: test_login (0.02s)", "--- PASS: TestAuth/token_refresh (0.01s)",  # noqa: E501 - one row of a table
        "storage_key: uploads/2026/05/report.pdf", "setAttribute('type', 'password')",
    ],
)  # fmt: skip
def test_innocently_placed(text):
    """Examples, variables, placeholders and harmless columns in the same places stay."""
    assert redact(text) == text
