"""Secrets that a sentence or a command line gives away.

``my password is …``, ``--password …``, ``-u user:…``, ``born on …``.
"""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

from agentlogsafe.redaction import gate, placed
from agentlogsafe.redaction.detectors.base import mixed
from agentlogsafe.redaction.likely import secretive
from agentlogsafe.redaction.placeholders import STOCK
from agentlogsafe.redaction.strategies import MASKED
from agentlogsafe.redaction.told import FOREMOST, TOLD
from agentlogsafe.redaction.vocabulary import STATED_WIDE, TOKEN_HARMLESS
from agentlogsafe.redaction.worded import Worded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from agentlogsafe.redaction.work import Work

Span = tuple[int, int, str]

_WHOSE = r"(?:for|of|to)[ \t](?:(?:the|user|account)[ \t])?[\"'`]?[\w.@:/-]{1,60}[\"'`]?"
_COPULA = r"is generated for[ \t]\S{1,80}:|(?:(?:has been|was|is)[ \t])?(?:changed|reset|updated|set) to|(?:is|was|are|equals|will be|should be|ist|war|lautet|est|era|es|è|é|är|er|jest)(?:[ \t](?:now|set to|currently|nu|jetzt|ahora))?[ \t]?:?|->|-"  # noqa: E501 - one pattern
_STATED = re.compile(
    rf"(?i)(?:\b|(?-i:(?<=[a-z0-9_])(?=[PS])))(?P<k>(?:pass(?:word|wd|wort|code|phrase)|secret(?:[ _-]?(?:key|token|code))?)s?|pass(?=[ ](?:is|was)\b)|mot de passe|contraseña|senha|kennwort|wachtwoord|pw(?=[ ]is)|lösenord(?:et)?)(?P<m>[\"')\]]{{0,2}}(?:[ ](?:\([\w ]{{2,12}}\)|provisoire|temporaire|temporal|temporária|provvisoria|provisional))?[ \t]{{1,2}}(?:{_WHOSE}[ \t]?[:=][ \t]{{0,3}}|(?:{_WHOSE}[ \t])?"  # noqa: E501 - one pattern
    rf"(?:{_COPULA}|to|from[ \t](?P<f>[^\s\"'`]{{4,100}})[ \t]to)[ \t]{{1,3}})|[ \t]{{1,3}})[\"'`(]{{0,2}}(?P<v>[^\s\"'`]{{4,200}})"  # noqa: E501 - one pattern
)
_STATED_ELSEWHERE = re.compile(f"{_STATED.pattern}(?:)")  # the same, with words that hold none of the usual two
# In other scripts: a particle may follow the word, or a space, or nothing.
_STATED_WIDE = re.compile(
    r"(?:парол[ья]|密码|密碼|口令|パスワード|비밀번호|hasł[oa]|şifre(?:niz|n|m)?|κωδικός|סיסמה)[ \t]?(?:это|是|为|為|は|는|은|to|είναι|היא)?[ \t]{0,2}[:：]?[ \t]{0,2}[\"'`「(]{0,2}(?P<v>[!-~]{4,200})",  # noqa: E501, RUF001 - one pattern
    re.IGNORECASE,
)
_AS = (" as ", " as the ", " as my ", " as your ")
_TOLD = re.compile(
    r"(?i)(?<![A-Za-z])(?:(?:api|access|encryption|signing|private|master|auth)[ _-]?(?:key|token)|token)(?: (?:for|of|to)(?: the| our| my)? [\w./-]{1,40})? is[ \t]?:?[ \t]{1,3}[\"'`(]{0,2}(?P<v>[\w.~+/=-]{16,400})"  # noqa: E501 - one pattern
)
_LOGIN_PAIR = re.compile(
    r"(?i)(?<![A-Za-z])(?:id|user(?:name)?|login|account)[ ]?/[ ]?(?:pw|pwd|passwd|password|pass)\b[ \t]{0,2}(?:(?:is|are)\b|[:=]|->|\()?[ \t]{0,2}[\w.@-]{1,40}[ ]?[/,(][ ]?(?P<v>[^\s,;)\"']{4,100})"  # noqa: E501 - one pattern
)
_PAIR_NAMED = re.compile(
    r"(?i)(?<![A-Za-z])(?:user(?:name)?|login)[ :=]{1,3}[\w.@-]{1,40}[ ]?[/,;|][ ]?(?:pass(?:word|wd)?|pw|pwd)[ :=]{1,3}(?P<v>[^\s,;)\"']{4,100})"  # noqa: E501 - one pattern
)
_PHRASE_TOLD = re.compile(
    r"(?i)(?<![A-Za-z])(?:seed|recovery|mnemonic|secret|backup)[ ](?:phrase|words)(?:[ ](?:is|are))?[ ]?:?[ ]{1,2}[\"']?(?P<v>[a-z]{3,8}(?:[ ,]{1,2}[a-z]{3,8}){11,23})(?![ ]?[a-z])"  # noqa: E501 - one pattern
)
# These two start with their hyphen and look back from it: a pattern with a fixed first character is searched faster.
_OPTION = re.compile(
    r"-(?:(?<=\s-)|(?<=^-))(?:-?(?P<k>[A-Za-z][\w.-]{1,40})(?:[ \t]{1,3}|=)(?:\"(?P<d>[^\"\n]{1,400})\"|'(?P<s>[^'\n]{1,400})'|(?P<p>[^\s\"'`|&;<>-][^\s\"'`|&;<>]{0,400})))"  # noqa: E501 - one pattern
)
_USER = re.compile(
    r"-(?:(?<=[\s\"']-)|(?<=^-))(?:[A-Za-z]{0,6}[uU]|-user|-proxy-user|(?<=http -)a)(?:[ \t]{1,3}|=|[\"'],[ ](?=[\"'])|(?=[\"']))?[\"']?(?P<n>[^\s:\"'/@]{0,80}):(?:[\"']?(?P<v>[^\s\"'@]{3,200})|(?=[\"'\s]))"  # noqa: E501 - one pattern
)
_DATABASE = re.compile(
    r"(?i)\b(?:mysql|mysqldump|mysqladmin|mariadb|sshpass|mongo|mongodump|7z|zip|unzip|unrar|rar|certutil|hydra|medusa|ncftp(?:put|get))\b[^\n|;&]{0,200}?[ \t\"']-p[ \t]?[\"']?(?P<v>[^\s\"'-][^\s\"']{2,100})"  # noqa: E501 - one pattern
)
_LOGIN = re.compile(
    r"(?i)\b(?:sqlplus|sqlcmd|psexec(?:64)?(?:\.exe)?|psql|redis-cli|rdesktop|mosquitto_(?:pub|sub)|ipmitool|evil-winrm|netexec|crackmapexec|cqlsh|ldap(?:modify|add|whoami)|rclone|docker login|az login|smbclient|net use|ldapsearch|bcp)\b[^\n|;&]{0,200}?[ \t](?:-[PpaWw]|/user:\S+)[ \t]?[\"']?(?P<v>[^\s\"'-][^\s\"']{3,100})"  # noqa: E501 - one pattern
)
_PIPED = re.compile(
    r"(?i)\b(?:echo|printf)[ \t]{1,3}(?:-n[ \t]{1,3})?[\"']?(?:[\w.-]{1,40}:(?=[^\n]{0,200}chpasswd))?(?P<v>[^\s\"'$|<>]{4,200})[\"']?[ \t]{0,3}\|[^\n|]{0,120}(?:--password-stdin|sudo[ ]-S|chpasswd|--with-token|--passphrase-fd)"  # noqa: E501 - one pattern
)
_HASHED = re.compile(
    r"(?i)\bhtpasswd[ ](?:-[A-Za-z]{1,6}[ ]){0,4}?-[A-Za-z]{0,4}(?:n[A-Za-z]{0,3}b|b[A-Za-z]{0,3}n)[A-Za-z]{0,3}[ ]\S{1,80}[ ](?P<v>[^\s\"'$]{4,100})|\bhtpasswd[ ](?:-[A-Za-z]{1,6}[ ]){0,4}?-[A-Za-z]{0,4}b[A-Za-z]{0,4}[ ]\S{1,80}[ ]\S{1,80}[ ](?P<w>[^\s\"'$]{4,100})"  # noqa: E501 - one pattern
)
_GIVEN = re.compile(
    r"(?i)\b(?:ssh-keygen\b[^\n|;&]{0,160}?[ ]-N|openssl\b[^\n|;&]{0,160}?[ ]-k|(?:put-parameter|secret set|put-secret-value|create-secret)\b[^\n|;&]{0,200}?[ ]--(?:value|secret-string))[ =][\"']?(?P<v>[^\s\"'-][^\s\"']{3,200})"  # noqa: E501 - one pattern
)
_WPA = re.compile(r"(?i)\bwpa_passphrase[ ]{1,2}\S{1,64}[ ]{1,2}[\"']?(?P<v>[^\s\"']{8,64})")
_SHARED = re.compile(r"(?<=\s)-(?:U|-user)[ =]?[\"']?[\w.\\/-]{1,60}%(?P<v>[^\s\"'%]{4,100})")
_DEVICE = re.compile(r"(?i)\b(?:password|secret|passphrase|pre-shared-key)[ ](?:0|5|7|8|9)[ ](?P<v>[^\s\"']{4,120})")
_LINED = re.compile(
    r"(?im)(?:^|(?<=\n))(?:requirepass|user[ ]\S{1,60}\s{1,4}pass)[ \t]{1,4}(?P<v>[^\s\"']{4,200})[ \t]{0,4}$"
)
_SECURED = re.compile(
    r"(?i)\bconvertto-securestring(?:[ \t]{1,3}-(?:string|asplaintext|force))*[ \t]{1,3}(?:\\?[\"'](?P<v>[^\"'\n]{4,200})|(?P<u>[^\s\"'$(-][^\s\"']{4,200}))"  # noqa: E501 - one pattern
)
_IDENTIFIED = re.compile(
    r"(?i)\bidentified[ \t]{1,3}(?:with[ \t]{1,3}[\w'\"`]{1,40}[ \t]{1,3}(?:by|as)|by)[ \t]{1,3}(?:password[ \t]{1,3})?(?:(?P<q>['\"`])(?P<v>[^'\"`\n]{1,200})(?P=q)|(?P<u>[A-Za-z_][^\s'\"`;,()\\]{4,127}))"  # noqa: E501 - one pattern
)
_SQL_VERB = re.compile(r"(?i)\b(?:create|alter|grant)\b")
_SQL = re.compile(
    r"(?i)\b(?:password(?:[ \t]{1,3}for[ \t]{1,3}[^=\n]{1,60})?|encrypted password|old_password)(?:[ \t]{1,3}|[ \t]{0,3}=[ \t]{0,3}|(?=\())\(?[ \t]{0,3}(?P<q>['\"`])(?P<v>[^'\"`\n]{1,200})(?P=q)"  # noqa: E501 - one pattern
)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}\.?"
_BORN = re.compile(
    r"(?i)(?<![A-Za-z])(?:d\.?o\.?b\.?(?![A-Za-z])|dates?[ _-]of[ _-]birth|birth[ _-]?da(?:te|y)s?|born)"
)
_BORN_ELSEWHERE = re.compile(
    r"(?i)(?<![A-Za-z])(?:geb\.|geboren|née? le|né\(e\) le|nacimiento|nascita|naissance|nascimento|geboortedatum|geburtsdatum|nacid[oa] el|nat[oa] (?:a [^\W\d_]{2,30} )?il|nascid[oa] (?:em|a)|urodzon[ya]|född|født|narozen[aý]?)"  # noqa: E501 - one pattern
)
_BIRTH = re.compile(
    rf"(?<!\d)(?:\d{{4}}[-/.]\d{{1,2}}[-/.]\d{{1,2}}|\d{{1,2}}[-/. ]\d{{1,2}}[-/. ]\d{{2,4}}|{_MONTH}[ ]\d{{1,2}}(?:st|nd|rd|th)?,?[ ]\d{{4}}|\d{{1,2}}(?:st|nd|rd|th)?[ -](?:of )?{_MONTH},?[ -]\d{{4}})(?!\d)"  # noqa: E501 - one pattern
)
_ASKING = 8  # units that it costs to ask for every word that a sentence may begin with
_KEY_LEAST = 10  # so long is a key that stands where the user does: ``-u key:``
_SLASHES = 2  # a path has more
_BIRTH_WITHIN = 60
_BIRTH_LONGEST = 26
_DIGIT = re.compile(r"\d")
_BEFORE_DAY = 12  # the longest month, and what stands between it and its day
# In lower case, every match of the pattern has one of the first, and starts with one of the second.
_STARTS: dict[re.Pattern[str], tuple[tuple[str, ...], tuple[str, ...]]] = {
    **{row.pattern: (row.needed, row.starts) for row in TOLD},
    _STATED: ((" ", "\t"), ("pass", "secret", "mot de")),
    _IDENTIFIED: ((" by", " as"), ("identified",)),
    _STATED_ELSEWHERE: ((" ", "\t"), ("contrase", "senha", "kennwort", "wachtw", "pw is", "lösen")),
    _BORN_ELSEWHERE: (("b", "n", "f"), ("geb", "né", "naci", "nai", "nat", "nasci", "urodz", "född", "født", "naroz")),
    _TOLD: ((" is",), ("api", "access", "token", "encryption", "signing", "private", "master", "auth")),
    _LOGIN_PAIR: (("/pw", "/ pw", "/pass", "/ pass"), ("id", "user", "login", "account")),
    _PAIR_NAMED: (tuple(f"{sign}{word}" for sign in ("/", "/ ", ",", ", ", ";", "; ", "|", "| ") for word in ("pass", "pw")), ("user", "login")),  # noqa: E501 - one row of a table
    _PHRASE_TOLD: (("phrase", "words"), ("seed", "recovery", "mnemonic", "secret", "backup")),
    _SQL: (("password",), ("password", "encrypted password", "old_password")),
    _BORN: (("birth", "born", "dob", "do.b", "d.ob", "d.o.b"), ("dob", "do.b", "d.ob", "d.o.b", "date", "birth", "born")),  # noqa: E501 - one row of a table
    _HASHED: (("htpasswd",), ("htpasswd",)),
    _DEVICE: (("password ", "secret ", "passphrase ", "shared-key "), ("password", "secret", "passphrase", "pre-shared-key")),  # noqa: E501 - one row of a table
    _LINED: (("requirepass", "pass "), ("requirepass", "user ")),
    _GIVEN: ((" -n", " -k", " --value", " --secret-string"), ("ssh-keygen", "openssl", "put-parameter", "secret set", "put-secret-value", "create-secret")),  # noqa: E501 - one row of a table
    _WPA: (("wpa_passphrase",), ("wpa_passphrase",)),
    _PIPED: (("-stdin", "sudo -s", "chpasswd", "--with-token", "--passphrase-fd"), ("echo", "printf")),
    _SECURED: (("securestring",), ("convertto-securestring",)),
    _DATABASE: (("-p",), ("mysql", "mariadb", "sshpass", "mongo", "7z", "zip", "unzip", "rar", "unrar", "certutil", "hydra", "medusa", "ncftp")),  # noqa: E501 - one row of a table
    _LOGIN: (("-p", "-a", "-w", "/user:"), ("sqlplus", "sqlcmd", "psexec", "psql", "redis-cli", "rdesktop", "mosquitto_", "ipmitool", "evil-winrm", "netexec", "crackmapexec", "cqlsh", "ldap", "rclone", "docker login", "az login", "smbclient", "net use", "ldapsearch", "bcp")),  # noqa: E501 - one row of a table
}  # fmt: skip
_TABLE = Worded(_STARTS, {phrase for phrases in gate.TOLD_PHRASES.values() for phrase in phrases})
_matches = _TABLE.matches
WORDS = _TABLE.words
# They match an i or an s when case is ignored, but are none in lower case.
_EXOTIC = (("\u0130", "i"), ("\u0131", "i"), ("\u017f", "s"))
_WORDY = re.compile(r"[A-Za-z][a-z'\u2019-]*[.,;:!?)]*$")


def _lower(text: str) -> str:
    """Return *text* in lower case, each character in its place."""
    if not text.isascii():
        for character, plain in _EXOTIC:
            text = text.replace(character, plain)
    return text.lower()


def _narrow(text: str) -> str:
    """Return *text* in lower case and Latin-1, with question marks: wide characters take four times as long."""
    low = _lower(text)
    return low if low.isascii() else low.encode("latin-1", "replace").decode("latin-1")


def stated(text: str, work: Work) -> list[Span]:
    """Return the spans of passwords and secrets that a sentence states, and of birth dates."""
    spans: list[Span] = []
    work.spend(_ASKING)
    low = _narrow(text)
    worded = "pass" in low or "secret" in low
    told = _TABLE.may_have_more(text, work) and gate.told(low, low.encode("latin-1"))
    stated_ = _matches(_STATED, text, low, work) if worded else ()
    if not low.isascii() or "wachtwoord" in low or "kennwort" in low or "pw is" in low:
        stated_ = chain(stated_, _matches(_STATED_ELSEWHERE, text, low, work))
    for match in stated_:
        value = match["v"].rstrip(".,;:!?)\"'") if not match["v"].endswith("!") else match["v"]
        joined = match["m"].strip() == ""
        if (
            MASKED.search(value)
            or "](" in value  # a link, as in a changelog
            or _WORDY.match(match["v"])
            or not secretive(value, "PASSWORD", "password", quoted=False, tight=False)
        ):
            continue
        if (
            joined or match["k"].lower() == "pass" or (match["m"].strip().endswith("to") and "set" not in match["m"])
        ) and not _both(value):
            continue
        if match["f"] and _both(match["f"]):
            spans.append((*match.span("f"), "PASSWORD"))
        if not any(map(str.isalnum, value)):
            continue
        spans.append(
            (match.start("v"), match.start("v") + len(value), "PASSWORD" if match["k"][0] in "pP" else "SECRET")
        )
    spans += [
        (*match.span("v"), "PASSWORD")
        for match in _matches(_SQL, text, low, work)
        if secretive(match["v"], "PASSWORD", "password", quoted=True, tight=True)
        and not (match["q"] == "`" and " " in match["v"])  # a command of a shell
    ]
    for match in _matches(_IDENTIFIED, text, low, work):
        value = match["v"] or match["u"]
        if (
            match["v"] or (_both(value) and _SQL_VERB.search(text, max(0, match.start() - 200), match.start()))
        ) and secretive(value, "PASSWORD", "password", quoted=True, tight=True):
            spans.append((*match.span("v" if match["v"] else "u"), "PASSWORD"))
    spans += _given(text, low, work)
    spans += _entered(text, low, work)
    spans += _named(text, low, work, told=told)
    for pattern in (_DEVICE, _LINED, _WPA) if worded else ():
        for match in _matches(pattern, text, low, work):
            if _both(match["v"]) and secretive(match["v"], "PASSWORD", "password", quoted=True, tight=True):
                spans.append((*match.span("v"), "PASSWORD"))
    born = _matches(_BORN, text, low, work)
    for match in chain(born, _matches(_BORN_ELSEWHERE, text, low, work)) if told else born:
        begin = match.end()
        line = text.find("\n", begin, begin + _BIRTH_WITHIN)
        last = line if line >= 0 else begin + _BIRTH_WITHIN
        digit = _DIGIT.search(text, begin, last + _BIRTH_LONGEST)
        if not digit:
            continue
        first = max(begin, digit.start() - _BEFORE_DAY)
        edge = max(first - 1, 0)
        near = text[edge : last + _BIRTH_LONGEST]
        date = _BIRTH.search(_lower(near), first - edge)
        if date and date.start() + edge <= last:
            spans.append((date.start() + edge, date.end() + edge, "BIRTH_DATE"))
    return spans


def _named(text: str, low: str, work: Work, *, told: bool) -> Iterator[Span]:
    """Yield the spans of the numbers and codes that the words before them name."""
    for row in TOLD:
        if row.rare and not told:
            continue
        for match in _matches(row.pattern, text, low, work):
            value = match["v"].partition("  ")[0]
            if sum(map(str.isdigit, value)) >= row.digits and (not row.lettered or any(map(str.isalpha, value))):
                yield match.start("v"), match.start("v") + len(value), row.category
    if "is your" in low:
        for match in FOREMOST.finditer(text):
            work.spend(1)
            yield (*match.span("v"), "PASSWORD")


def _both(value: str) -> bool:
    """Return whether *value* has letters and digits, as a word of a sentence has not."""
    return any(map(str.isdigit, value)) and any(map(str.isalpha, value))


def _entered(text: str, low: str, work: Work) -> Iterator[Span]:
    """Yield the spans of passwords that stand before the word for it, or behind one of another script."""
    at = low.find("password")
    while at >= 0:
        before = low[max(0, at - 9) : at]
        tail = next((words for words in _AS if before.endswith(words)), "")
        if tail:
            work.spend(1)
            words = text[max(0, at - 120) : at - len(tail)].rsplit(None, 1)
            value = words[-1].strip("\"'`(),") if words else ""
            start = text.rfind(value, 0, at)
            if value and _both(value) and secretive(value, "PASSWORD", "password", quoted=False, tight=False):
                yield start, start + len(value), "PASSWORD"
        at = low.find("password", at + 8)
    if text.isascii():
        return
    wide = text.lower()
    if any(word in wide for word in STATED_WIDE):
        for match in _STATED_WIDE.finditer(text):
            work.spend(1)
            value = match["v"].rstrip(".,;:!?)\"'`")
            if _both(value) and secretive(value, "PASSWORD", "password", quoted=False, tight=False):
                yield match.start("v"), match.start("v") + len(value), "PASSWORD"


def _given(text: str, low: str, work: Work) -> Iterator[Span]:
    """Yield the spans of keys that a sentence states, and of the passwords behind ``user/password``."""
    for match in _matches(_TOLD, text, low, work):
        value = match["v"].rstrip(".")
        before = text[max(0, match.start() - 24) : match.start()].lower().split()
        if before and before[-1] in TOKEN_HARMLESS:
            continue
        if mixed(value) and value.count("/") <= _SLASHES and "." not in value[:2]:
            category = "API_KEY" if "key" in match[0].lower() else "TOKEN"
            yield match.start("v"), match.start("v") + len(value), category
    for pattern in (_LOGIN_PAIR, _PAIR_NAMED) if "pw" in low or "pass" in low else ():
        for match in _matches(pattern, text, low, work):
            value = match["v"]
            if _both(value) and secretive(value, "PASSWORD", "password", quoted=False, tight=True):
                yield match.start("v"), match.end("v"), "PASSWORD"
    for match in _matches(_PHRASE_TOLD, text, low, work):
        yield (*match.span("v"), "SECRET")


def options(text: str, category_of: Callable[[str], str | None], work: Work) -> list[Span]:
    """Return the spans of secrets on a command line; *category_of* tells what a long option's name announces."""
    spans: list[Span] = []
    work.spend(_ASKING >> 1)
    low = _narrow(text)
    if "-" not in text and "/user:" not in low and "chpasswd" not in low:
        spans += placed.find(text, low, category_of, work)
        return spans  # every pattern below has one of them
    for match in _OPTION.finditer(text):
        work.spend(3)
        category = category_of(match["k"])
        if category is None or match.lastgroup is None:
            continue
        value = match[match.lastgroup]
        if category in ("PASSWORD", "SECRET", "TOKEN", "API_KEY") and secretive(
            value, category, match["k"].lower(), quoted=match.lastgroup != "p", tight=True
        ):
            if (
                match.lastgroup == "p"
                and value.isalpha()
                and value.islower()
                and match["k"].islower()
                and match[0][match[0].find(match["k"]) + len(match["k"])] != "="
                and len(value) < 8  # noqa: PLR2004 - a length, and what it is of stands beside it
            ):
                continue
            spans.append((*match.span(match.lastgroup), category))
    for match in _USER.finditer(text):
        work.spend(2)
        name, value = match["n"], match["v"] or ""
        if name.isdigit() and (value.isdigit() or value.isalpha()):
            continue  # a user and a group, as containers take them
        if _guarded(value) if value else len(name) >= _KEY_LEAST and mixed(name):
            spans.append((match.start("n"), match.end(), "PASSWORD"))
    spans += placed.find(text, low, category_of, work)
    for match in _matches(_SECURED, text, low, work):
        part = "v" if match["v"] else "u"
        if _guarded(match[part]):
            spans.append((*match.span(part), "PASSWORD"))
    for match in _SHARED.finditer(text) if "%" in text else ():
        if _guarded(match["v"]) and _both(match["v"]):
            spans.append((*match.span("v"), "PASSWORD"))
    for match in _matches(_HASHED, text, low, work):
        part = "v" if match["v"] else "w"
        if _guarded(match[part]):
            spans.append((*match.span(part), "PASSWORD"))
    for matches in (
        _matches(_PIPED, text, low, work),
        _matches(_DATABASE, text, low, work),
        _matches(_LOGIN, text, low, work),
        _matches(_GIVEN, text, low, work),
    ):
        for match in matches:
            work.spend(2)
            if _guarded(match["v"]):
                spans.append((*match.span("v"), "PASSWORD"))
    return spans


def _guarded(value: str) -> bool:
    """Return whether *value*, which stands where a command takes a password, is more than a variable or an example."""
    return (
        not MASKED.search(value)
        and value.lower() not in STOCK
        and value[0] not in "$<{*%"
        and len(set(value)) > 1
        and not value.startswith("//")
    )
