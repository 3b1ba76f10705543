"""Credentials with a shape of their own that no fixed start gives away: keys, webhooks, headers, checksummed tokens."""

# ruff: noqa: E501 - an entry of a table is one line
# ruff: noqa: PLR2004 - checksums, calendars and lengths are numbers
from __future__ import annotations

import base64
import binascii
import string

from agentlogsafe.redaction.detectors.base import Detector, mixed, varied
from agentlogsafe.redaction.keys import jumbled

_B = r"(?<![A-Za-z0-9])"
_E = r"(?![A-Za-z0-9])"
_NO_UPPER, _NO_LOWER, _NO_DIGIT = (
    bytes(code for code in range(256) if chr(code) not in kind)
    for kind in (string.ascii_uppercase, string.ascii_lowercase, string.digits)
)


def user_and_password(text: str) -> bool:
    """Return whether *text* is the base64 of ``user:password``, as HTTP basic authentication sends it."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except (binascii.Error, ValueError):
        return False
    raw = raw.replace(b"\0", b":")  # as mail servers take them
    return b":" in raw and all(32 <= byte < 127 or byte > 160 for byte in raw)


def digits_colon(text: str) -> bool:
    """Return whether *text* is base64 that starts with a decimal number and a colon (Atlassian server tokens)."""
    number, colon, rest = base64.b64decode(text).partition(b":")
    return colon == b":" and number.isdigit() and len(number) > 8 and len(rest) > 10


def aws_secret(text: str) -> bool:
    """Return whether forty base64 characters are a random secret rather than a path, a hash or a name."""
    raw = text.encode()
    return (
        len(raw.translate(None, _NO_UPPER)) > 5
        and len(raw.translate(None, _NO_LOWER)) > 5
        and len(raw.translate(None, _NO_DIGIT)) > 1
        and len(set(text)) > 19
        and text.count("/") < 5
    )


CREDENTIALS: tuple[Detector, ...] = (
    Detector("jwt", "JWT", "tokens", r"eyJ[A-Za-z0-9_-]{10,2000}(?:\.[A-Za-z0-9_=-]{4,20000}){1,4}\.?", starts=("eyJ",), needs=".", yes=("eyJhbGciOiJIUzI1NiJ9.eyJ{a30}.{a43}",)),
    Detector("jwt-header", "JWT", "tokens", r"ey[JI](?:hbGciOi|0eXAiOi|raWQiOi|lbmMiOi|jdHkiOi|4NXQiOi)[A-Za-z0-9_-]{6,2000}={0,2}" + _E, starts=("eyJ", "eyI"), yes=("eyJhbGciOi{a40}",)),
    Detector(
        "private-key", "KEY", "keys",
        r"-----BEGIN[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----(?:BEGIN|END))[\s\S]){0,20000}(?:-----END[ A-Z0-9_-]{0,60}PRIVATE KEY(?: BLOCK)?-----)?",
        gate=("private key-----", "private key block-----"), yes=("-----BEGIN RSA PRIVATE KEY-----\n{b64}\n{b64}\n-----END RSA PRIVATE KEY-----",), no=("-----BEGIN PUBLIC KEY-----\n{b64}\n-----END PUBLIC KEY-----",),
    ),
    Detector("putty-key", "KEY", "keys", r"Private-Lines: \d+\s+(?P<v>(?:[A-Za-z0-9+/=]{1,70}\s{1,2}){1,60})", anchored=True, gate=("private-lines",), yes=("Private-Lines: 1\n{b64}\n",)),
    Detector("bearer", "TOKEN", "headers", r"(?<![A-Za-z0-9])(?i:bearer|apikey|api-key|jwt)[ \t]{1,4}(?P<v>[A-Za-z0-9._~+/=-]{16,8000})", anchored=True, gate=("bearer", "apikey ", "api-key ", "jwt "), valid=mixed, yes=("Bearer {a32}",), no=("bearer of bad news",)),
    Detector("token-told", "TOKEN", "tokens", r"(?<![A-Za-z0-9_-])(?<!next )(?<!page )(?<!sync )(?<!prev )(?<!previous )(?<!continuation )(?<!cursor )(?i:token)[ \t]{1,2}[\"'`]?(?P<v>[A-Za-z0-9_-]{20,400})(?![\w.-])", anchored=True, gate=("token ",), valid=jumbled, yes=("token {l32}",), no=("next token {l32}", "token {h8}-{h4}-{h4}-{h4}-{h12}")),
    Detector("basic", "PASSWORD", "headers", r"(?<![A-Za-z0-9])(?i:basic|auth plain)[ \t]{1,4}(?P<v>[A-Za-z0-9+/]{12,2000}={0,2})(?![A-Za-z0-9+/=])", anchored=True, gate=("basic", "auth plain"), valid=user_and_password, yes=("Basic dXNlcjpwYXNzd29yZDE=",), no=("basic understanding required",)),
    Detector("slack-webhook", "SECRET", "webhooks", r"(?:https?://)?hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/[A-Za-z0-9+/_-]{20,200}", within=True, least=16, gate=("hooks.slack",), yes=("https://hooks.slack.com/services/T{u8}/B{u8}/{a24}",)),
    Detector("discord-webhook", "SECRET", "webhooks", r"(?:https?://)?(?:\w+\.)?discord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d{15,22}/[A-Za-z0-9_-]{50,90}", within=True, least=70, gate=("/webhooks/",), yes=("https://discord.com/api/webhooks/{d18}/{a68}",)),
    Detector("teams-webhook", "SECRET", "webhooks", r"(?:webhook|outlook)\.office(?:365)?\.com/webhook(?:b2)?/(?P<v>[A-Za-z0-9@-]{36,80}/IncomingWebhook/[0-9a-f]{32}/[0-9a-f-]{36})", gate=(".office",), yes=("https://x.webhook.office.com/webhookb2/{h8}-{h4}-{h4}-{h4}-{h12}@{h8}-{h4}-{h4}-{h4}-{h12}/IncomingWebhook/{h32}/{h8}-{h4}-{h4}-{h4}-{h12}",)),
    Detector("telegram-bot", "TOKEN", "tokens", r"(?<![0-9A-Za-z])(?:bot)?(?P<v>\d{5,16}:A[A-Za-z0-9_-]{34})(?![A-Za-z0-9_-])", within=True, least=36, gate=(":a",), valid=mixed, yes=("{d9}:AA{a33}",)),
    Detector("discord-bot", "TOKEN", "tokens", _B + r"[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,38}(?![A-Za-z0-9_-])", starts=("M", "N", "O"), needs=".", valid=mixed, yes=("M{a23}.{a6}.{a27}",)),
    Detector("mailchimp", "API_KEY", "tokens", _B + r"[0-9a-f]{32}-us\d{1,2}(?!\w)", within=True, least=16, gate=("-us",), yes=("{h32}-us12",)),
    Detector("mailgun-signing", "API_KEY", "tokens", _B + r"[0-9a-f]{32}-[0-9a-f]{8}-[0-9a-f]{8}(?![\w-])", within=True, least=50, gate=("-",), yes=("{h32}-{h8}-{h8}",)),
    Detector("newrelic-license", "API_KEY", "tokens", _B + r"[0-9a-z]{36}NRAL" + _E, within=True, least=16, gate=("nral",), yes=("{h36}NRAL",)),
    Detector("azure-ad-secret", "SECRET", "tokens", r"(?<![A-Za-z0-9_~.-])[A-Za-z0-9_~.-]{3}\dQ~[A-Za-z0-9_~.-]{31,34}(?![A-Za-z0-9_~-])", within=True, least=16, gate=("q~",), valid=varied, yes=("{a3}8Q~{a34}",)),
    Detector("azure-cognitive-key", "API_KEY", "tokens", _B + r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}" + _E, within=True, least=16, gate=("jqqj99",), yes=("{a52}JQQJ99{a26}",)),
    Detector("azure-key-88", "SECRET", "tokens", r"(?<![A-Za-z0-9+/-])[A-Za-z0-9+/]{86}==(?![A-Za-z0-9+/=])", within=True, least=88, gate=("==",), valid=mixed, yes=("{b86}==",)),
    Detector("azure-service-key", "SECRET", "tokens", r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{33,43}(?:\+ASt|\+AEh|\+ARm|\+ABa|\+AMC|\+ACR|AzCa|AIoT|AzFu|AzSe|APIM)[A-Za-z0-9+/]{5,9}={0,2}(?![A-Za-z0-9+/=])", within=True, least=16, gate=("+as", "+ae", "+ar", "+ab", "+am", "+ac", "azca", "aiot", "azfu", "azse", "apim"), yes=("{a37}AIoT{a5}=",)),
    Detector("aws-secret", "SECRET", "tokens", r"(?<![A-Za-z0-9+/_.-])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=_.-])", within=True, least=40, gate=("",), valid=aws_secret, confidence=0.6, yes=("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ3v8m{a4}",), no=("{h40}",)),
    Detector("terraform", "TOKEN", "tokens", _B + r"[A-Za-z0-9]{14}\.atlasv1\.[A-Za-z0-9_=-]{60,70}" + _E, within=True, least=16, gate=(".atlasv1.",), yes=("{a14}.atlasv1.{a67}",)),
    Detector("kubernetes-bootstrap", "TOKEN", "tokens", r"(?i:token|bootstrap)\W{1,4}(?P<v>[A-Za-z0-9]{6}\.[A-Za-z0-9]{16})" + _E, anchored=True, gate=("token", "bootstrap"), yes=("kubeadm join --token {l6}.{l16}",)),
    Detector("maxmind", "API_KEY", "tokens", _B + r"[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk" + _E, within=True, least=16, gate=("_mmk",), yes=("{a6}_{a29}_mmk",)),
    Detector("meta-llama", "API_KEY", "tokens", r"\bLLM\|\d{10,20}\|[A-Za-z0-9_-]{20,40}", within=True, least=16, gate=("llm|",), yes=("LLM|{d16}|{a27}",)),
    Detector("facebook-app", "TOKEN", "tokens", _B + r"\d{15,16}(?:\||%7[cC])[A-Za-z0-9_-]{27,40}" + _E, within=True, least=16, gate=("|", "%7c"), yes=("{d15}|{a27}",)),
    Detector("google-refresh", "TOKEN", "tokens", _B + r"1//0[A-Za-z0-9_-]{30,160}", within=True, least=16, gate=("1//0",), yes=("1//0{a60}",)),
    Detector("google-auth-code", "TOKEN", "tokens", _B + r"4/0[A-Za-z0-9_-]{40,120}", within=True, least=16, gate=("4/0",), valid=mixed, yes=("4/0{a60}",)),
    Detector("asana", "TOKEN", "tokens", _B + r"[012]/(?:\d{10,20}/)?\d{10,20}:[0-9a-f]{32}" + _E, within=True, least=16, gate=("1/", "2/", "0/"), yes=("1/{d16}:{h32}",)),
    Detector("openshift", "TOKEN", "tokens", r"\bsha256~[A-Za-z0-9_-]{43}", within=True, least=16, gate=("sha256~",), yes=("sha256~{a43}",)),
    Detector("braintree", "TOKEN", "tokens", r"access_token\$(?:production|sandbox)\$[a-z0-9]{16}\$[0-9a-f]{32}", within=True, least=16, gate=("access_token$",), yes=("access_token$production${l16}${h32}",)),
    Detector("endor", "TOKEN", "tokens", r"\bendr\+[A-Za-z0-9-]{16}" + _E, gate=("endr+",), yes=("endr+{a16}",)),
    Detector("sidekiq", "SECRET", "tokens", r"\b(?P<v>[0-9a-f]{8}:[0-9a-f]{8})(?=@(?:gems|enterprise)\.contribsys\.com)", gate=("contribsys.com",), yes=("https://{h8}:{h8}@gems.contribsys.com/",)),
    Detector("softlayer", "API_KEY", "tokens", r"api\.softlayer\.com/soap/v\d(?:\.\d)?/(?P<v>[0-9a-f]{64}|[0-9a-z]{64})" + _E, within=True, least=16, gate=("softlayer.com",), yes=("http://api.softlayer.com/soap/v3/{h64}",)),
    Detector("sidekiq-bundle", "SECRET", "tokens", r"(?i:contribsys__com)\W{1,6}(?P<v>[0-9A-Fa-f]{8}:[0-9A-Fa-f]{8})", anchored=True, gate=("contribsys__com",), yes=("BUNDLE_GEMS__CONTRIBSYS__COM={h8}:{h8}",)),
    Detector("dropbox-long", "TOKEN", "tokens", _B + r"[A-Za-z0-9_-]{8,14}A{10}[A-Za-z0-9_=-]{40,60}", within=True, least=16, gate=("aaaaaaaaaa",), yes=("{a11}AAAAAAAAAA{a43}",)),
    Detector("atlassian-server", "TOKEN", "tokens", r"(?<![A-Za-z0-9+/])[MNO][A-Za-z0-9+/]{43}(?![A-Za-z0-9+/=])", starts=("M", "N", "O"), valid=digits_colon, yes=("OTI2NjA3NjU1NTI2Oh2DOnASdOHoIhEGyqIuYrdkYaQZ",)),
    Detector("vehicle", "PERSONAL", "vehicles", r"(?i:vin|fahrgestellnummer|chassis(?: number)?)(?i:[ ]?(?:is|no\.?|number|#))?[:=#]?[ ]{0,2}(?<![A-Za-z])(?P<v>[A-HJ-NPR-Z0-9]{11,13}\d{4})(?![A-Za-z0-9])", anchored=True, gate=("vin", "fahrgestellnummer", "chassis"), valid=varied, yes=("VIN: 1HGCM82633A004352", "vin=WVWZZZ1JZXW000001"), no=("moving 1HGCM82633A004352",)),
    Detector("digest", "SECRET", "headers", r"response=\\{0,3}[\"'](?P<v>[0-9a-f]{32,64})\\{0,3}[\"']", anchored=True, gate=("response=",), yes=('response="{h32}"',)),
    Detector("jwk", "KEY", "keys", r"[\"']\s{0,2}(?:d|p|q|dp|dq|qi)\\?[\"']\s{0,4}:\s{0,4}\\?[\"'](?P<v>[A-Za-z0-9_-]{32,1000})\\?[\"']", gate=('"d"', "'d'"), yes=('{{"kty":"EC","d":"{a43}"}}'.replace("{{", "{").replace("}}", "}"),)),
    Detector("jwk-symmetric", "KEY", "keys", r"[\"']k\\?[\"']\s{0,4}:\s{0,4}\\?[\"'](?P<v>[A-Za-z0-9_-]{20,1000})\\?[\"']", gate=('"k"', "'k'"), yes=('"kty": "oct", "k": "{a43}"',)),
    Detector("url-signature", "SECRET", "urls", r"[?&;](?i:sig|signature|x-amz-signature|x-amz-security-token|x-amz-credential|x-goog-signature|x-goog-credential|x-ms-signature|awsaccesskeyid|googleaccessid|hmac|policy)=(?P<v>[A-Za-z0-9%+/=_.~@-]{16,4000})", gate=("sig=", "signature=", "x-amz-", "x-goog-", "accesskeyid=", "hmac=", "policy="), yes=("https://b.s3.amazonaws.com/k?X-Amz-Signature={h64}",)),
    Detector("google-oauth-client", "SECRET", "tokens", r"(?<![\w.-])\d{8,24}-[a-z0-9]{32}(?=\.apps\.googleusercontent\.com)", gate=("googleusercontent.com",), yes=("{d12}-{l32}.apps.googleusercontent.com",)),
    Detector("url-key", "API_KEY", "urls", r"(?i:key)=(?:(?<=[?&]....)|(?<=[?&](?i:app_|auth)key=)|(?<=[?&](?i:auth_)key=)|(?<=[?&](?i:access)key=)|(?<=[?&](?i:access_)key=)|(?<=(?i:tion-)key=))(?P<v>[A-Za-z0-9_-]{16,400})(?![\w.%/~+-])", anchored=True, gate=("key=",), valid=jumbled, yes=("https://api.example.com/v1/user?key={l32}",), no=("https://example.com/list?key=customer_address_list", "https://example.com/?key={h8}-{h4}-{h4}-{h4}-{h12}")),
    Detector("url-path-key", "API_KEY", "urls", r"(?:infura\.io(?:/ws)?/v3|alchemy\.com/(?:nft/)?v[23]|alchemyapi\.io/v2)/(?P<v>[A-Za-z0-9_-]{20,64})", gate=("infura.io", "alchemy"), yes=("https://mainnet.infura.io/v3/{h32}",)),
    Detector("zapier-webhook", "SECRET", "webhooks", r"(?:https?://)?hooks\.zapier\.com/hooks/(?:catch|standard)/\d{1,12}/[A-Za-z0-9]{5,40}", within=True, least=28, gate=("hooks.zapier",), yes=("https://hooks.zapier.com/hooks/catch/{d7}/{l7}/",)),
    Detector("azure-devops", "TOKEN", "tokens", _B + r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{19}AZDO[A-Za-z0-9]{4}" + _E, within=True, least=84, gate=("azdo",), yes=("{a52}JQQJ99{a18}AZDO{a4}",)),
    Detector("fcm-registration", "TOKEN", "tokens", r"(?<![A-Za-z0-9_-])[A-Za-z0-9_-]{11,40}:APA91b[A-Za-z0-9_-]{100,200}", within=True, least=100, gate=(":apa91b",), yes=("{a22}:APA91b{a134}",)),
    Detector("kerberos-hash", "PASSWORD", "keys", r"\$krb5(?:asrep|tgs|pa|ng|db)\$[0-9A-Za-z$*@:._/-]{32,8000}", within=True, least=32, gate=("$krb5",), yes=("$krb5asrep$23$user@EXAMPLE.COM:{h32}${h200}",)),
    Detector("ldap-hash", "PASSWORD", "keys", r"\{S?SHA(?:256|384|512)?\}(?P<v>[A-Za-z0-9+/$.=]{16,200})", gate=("{ssha", "{sha"), yes=("{{SSHA}}{b44}".replace("{{", "{").replace("}}", "}"),)),
    Detector("cisco-hash", "PASSWORD", "keys", r"(?<![\w$])\$[89]\$[A-Za-z0-9./]{14}\$[A-Za-z0-9./]{43}" + _E, within=True, least=60, gate=("$",), yes=("$8${a14}${a43}",)),
    Detector("newrelic-mobile", "API_KEY", "tokens", _B + r"(?:eu01xx|[A-Za-z]{2,3}[0-9a-f]{2}|)[0-9a-fA-F]{36,42}-NRMA" + _E, within=True, least=40, gate=("-nrma",), yes=("{h42}-NRMA",)),
    Detector("sumologic-access-id", "API_KEY", "tokens", r"(?i:sumo(?:logic)?[_.-]?access[_-]?id)\W{1,6}(?P<v>su[A-Za-z0-9]{12})" + _E, anchored=True, gate=("sumo",), valid=mixed, yes=("sumologic_access_id = su{a12}",)),
    Detector("ntlm", "TOKEN", "headers", r"(?<![A-Za-z0-9])(?i:ntlm|negotiate)[ \t]{1,4}(?P<v>(?i:TlRMTVNTUA|YII)[A-Za-z0-9+/=]{16,8000})", anchored=True, gate=("ntlm", "negotiate"), yes=("NTLM TlRMTVNTUAAB{a40}",)),
    Detector("htpasswd-hash", "PASSWORD", "keys", r"(?<![\w$])\$(?:apr1|1|2[abxy]?|5|6|y|argon2(?:id|i|d)|pbkdf2(?:-sha\d+)?|scrypt|sha1)\$[A-Za-z0-9./$=,+_-]{16,200}", within=True, least=20, gate=("$",), valid=mixed, yes=("$2b$12${a53}",)),
)  # fmt: skip
