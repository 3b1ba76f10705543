"""Credentials with a shape of their own: provider tokens, keys, JWTs, authorization headers."""

from __future__ import annotations

from agentlogsafe.redaction.detectors.base import Detector

_B = r"(?<![A-Za-z0-9])"
_E = r"(?![A-Za-z0-9])"


def _token(name: str, pattern: str, *gate: str, category: str = "TOKEN") -> Detector:
    """Return the detector of one provider's token: a literal start, and no letter or digit on either side."""
    return Detector(name, category, "credentials", _B + pattern + _E, gate)


CREDENTIALS: tuple[Detector, ...] = (
    Detector(
        "pem", "PRIVATE_KEY", "credentials",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:(?!-----BEGIN)[\s\S])*?(?:-----END [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----|\Z)", ("private key",),
    ),
    Detector("jwt", "JWT", "credentials", _B + r"eyJ[A-Za-z0-9_-]{8,}\.eyJ?[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*", ("eyj",)),
    Detector("bearer", "TOKEN", "credentials", r"(?i)\bbearer[ \t]+(?P<v>[A-Za-z0-9._~+/-]{12,}=*)", ("bearer",)),
    Detector("basic", "PASSWORD", "credentials", r"(?i)\bbasic[ \t]+(?P<v>[A-Za-z0-9+/]{14,}={0,2})(?![A-Za-z0-9+/])", ("basic",)),
    Detector("url-password", "PASSWORD", "credentials", r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@\"'<>]*:(?P<v>[^\s/@\"'<>]+)@", ("://",)),
    _token("aws-access-key", r"(?:AKIA|ASIA|ABIA|ACCA|A3T[A-Z0-9])[A-Z2-7]{16}", "akia", "asia", "abia", "acca", "a3t", category="API_KEY"),
    _token("github", r"(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{60,255})", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
    _token("gitlab", r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct|oas)-[A-Za-z0-9_-]{20,300}", "gl"),
    _token("slack", r"xox[abeoprs]-[A-Za-z0-9-]{10,250}", "xox"),
    _token("slack-app", r"xapp-\d-[A-Za-z0-9-]{10,250}", "xapp-"),
    _token("slack-webhook", r"https://hooks\.slack\.com/(?:services|workflows|triggers)/(?P<v>[A-Za-z0-9+/_-]{20,200})", "hooks.slack.com"),
    _token("stripe", r"(?:sk|rk|whsec)_(?:live_|test_|prod_)?[A-Za-z0-9]{16,250}", "sk_", "rk_", "whsec_", category="API_KEY"),
    _token("anthropic", r"sk-ant-[A-Za-z0-9_-]{20,250}", "sk-ant-", category="API_KEY"),
    _token("openai", r"sk-(?:proj-|svcacct-|admin-|or-v1-|lf-)?[A-Za-z0-9_-]{20,250}", "sk-", category="API_KEY"),
    _token("google-api", r"AIza[A-Za-z0-9_-]{35}", "aiza", category="API_KEY"),
    _token("google-oauth", r"ya29\.[A-Za-z0-9_.-]{20,2000}", "ya29."),
    _token("google-secret", r"GOCSPX-[A-Za-z0-9_-]{20,60}", "gocspx-", category="SECRET"),
    _token("huggingface", r"(?:hf_|api_org_)[A-Za-z]{30,60}", "hf_", "api_org_"),
    _token("npm", r"npm_[A-Za-z0-9]{36}", "npm_"),
    _token("pypi", r"pypi-AgE[A-Za-z0-9_-]{40,1000}", "pypi-"),
    _token("sendgrid", r"SG\.[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_-]{30,64}", "sg.", category="API_KEY"),
    _token("twilio", r"SK[0-9a-f]{32}", "sk", category="API_KEY"),
    _token("telegram", r"\d{8,10}:A[A-Za-z0-9_-]{34}", ":a"),
    _token("databricks", r"dapi[0-9a-f]{32}(?:-\d)?", "dapi"),
    _token("digitalocean", r"do[opr]_v1_[0-9a-f]{64}", "_v1_"),
    _token("shopify", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}", "shp"),
    _token("groq", r"gsk_[A-Za-z0-9]{40,60}", "gsk_", category="API_KEY"),
    _token("linear", r"lin_(?:api|oauth)_[A-Za-z0-9]{32,64}", "lin_", category="API_KEY"),
)  # fmt: skip
