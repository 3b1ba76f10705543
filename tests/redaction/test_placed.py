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
    "ENV DB_PASSWORD tulip99x", "ENV API_TOKEN tulip99x-tulip99x", 'password: !str "tulip99x"', '"password" -> "tulip99x"', "settings.set('password', 'tuliptulipx')",  # noqa: E501 - one row of a table
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


@pytest.mark.parametrize(
    "text",
    [
        "password = os.getenv('X') or 'tulip99x'", "password: <%= ENV['X'] || 'tulip99x' %>", "password = args.password ?? 'tulip99x'", 'password := []byte("tulip99x")', 'token: Token::new("tulip99x-tulip99x")',  # noqa: E501 - one row of a table
        '"Password" : [ "tulip99x" ]', "f.setpassword(b'tulip99x')", "| db_password | tulip99x |", '<input type="password" value="tulip99x">', '<setting name="ApiToken"><value>tulip99x-tulip99x</value></setting>',  # noqa: E501 - one row of a table
        'static db_password: &str = "tulip99x";', 'Dim password As String = "tulip99x"', 'password <- "tulip99x"', 'NSString *password = @"tulip99x";', 'builder.with_password("tulip99x")',  # noqa: E501 - one row of a table
        '[{"ParameterKey":"DBPassword","ParameterValue":"tulip99x"},', "aws ssm put-parameter --name x --value 'tulip99x'", "ssh-keygen -N 'tulip99x' -f k", "unrar x -ptulip99x f.rar", "htpasswd -nb mia tulip99x",  # noqa: E501 - one row of a table
        "username mia privilege 15 secret 0 tulip99x", "requirepass tulip99x", "USER mia\nPASS tulip99x", "smbclient //s/x -U mia%tulip99x", "keytool -srcstorepass tulip99x", "wpa_passphrase home tulip99x",  # noqa: E501 - one row of a table
        "log in with tulip99x as the password", "A temporary password is generated for root@localhost: tulip99x", "password has been changed to tulip99x", "changed the password from tulip99a to tulip99x",  # noqa: E501 - one row of a table
        "user mia / pass tulip99x", "la contraseña es tulip99x", "Das Passwort lautet tulip99x", "пароль tulip99x", "密码是tulip99x", "パスワードは tulip99x です", "hasło to tulip99x", "le mot de passe est tulip99x",  # noqa: E501 - one row of a table
    ],
)  # fmt: skip
def test_given(text):
    """Neither an expression, another language's syntax nor another language hides a secret."""
    out = redact(text)
    assert "tulip" not in out
    assert redact(out) == out


@pytest.mark.parametrize(
    "text",
    [
        "password = getpass('Enter 2 words')", "password=`cat pw.txt`", "all-access pass: $120", "| max_tokens | 4096 |", "| password | string |", "x <- 'y2'", "set the password to expire", "the password was changed to comply",  # noqa: E501 - one row of a table
        "aws account_id: 123456789012", "project number 6214 9832 0257", "License: MIT; took 1234567 ns", "secrets: ['db-password', 'api-key']", "token: Token::new(kind)", "PASS src/app.test.ts",  # noqa: E501 - one row of a table
    ],
)  # fmt: skip
def test_nothing_given(text):
    """The same syntax around what is no secret stays."""
    assert redact(text) == text
