"""Tokens that providers give a recognisable start: one line each.

The formats are written down from general knowledge of what these tokens look like; they were not checked one by one against each provider's current documentation.
"""

# ruff: noqa: E501 - an entry of a table is one line
from __future__ import annotations

from agentlogsafe.redaction.detectors.base import Detector, Validator, mixed, varied

_END = r"(?![A-Za-z0-9])"
_UUID = r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_W = "[A-Za-z0-9_-]"
_A = "[A-Za-z0-9]"
_H = "[0-9a-f]"


def _t(  # noqa: PLR0917 - a table row
    name: str, starts: str, rest: str, yes: str, category: str = "TOKEN", valid: Validator | None = None
) -> Detector:
    """Return the detector of one provider's token: what it starts with, and the pattern of what follows."""
    literals = tuple(starts.split())
    head = "|".join(
        sorted((literal.replace(".", r"\.").replace("$", r"\$") for literal in literals), key=len, reverse=True)
    )
    return Detector(
        name, category, "provider tokens", f"(?:{head}){rest}{_END}", starts=literals, valid=valid, yes=(yes,)
    )


PROVIDERS: tuple[Detector, ...] = (
    # Clouds
    _t("aws-access-key-id", "AKIA ASIA ABIA ACCA AGPA AIDA AROA AIPA ANPA ANVA A3T", "[A-Z0-9]{16,17}", "AKIA{u16}", "API_KEY"),
    _t("aws-bedrock-key", "ABSK", r"[A-Za-z0-9+/]{100,280}={0,2}", "ABSK{a112}", "API_KEY"),
    _t("aws-bedrock-short", "bedrock-api-key-", r"[A-Za-z0-9+/=_%-]{30,4000}", "bedrock-api-key-{a60}", "API_KEY"),
    _t("aws-appsync", "da2-", r"[a-z0-9]{26}", "da2-{l26}", "API_KEY"),
    _t("aws-mws", "amzn.mws.", _UUID, "amzn.mws.{h8}-{h4}-{h4}-{h4}-{h12}"),
    _t("aws-session-token", "IQoJb3JpZ2lu FwoGZXIvYXdz FQoGZXIvYXdz", r"[A-Za-z0-9+/=%]{80,4000}", "IQoJb3JpZ2lu{a200}"),
    _t("alibaba-access-key", "LTAI", "[A-Za-z0-9]{12,24}", "LTAI{a20}", "API_KEY"),
    _t("google-api-key", "AIza", f"{_W}{{35}}", "AIza{a35}", "API_KEY", varied),
    _t("google-oauth-token", "ya29.", r"[A-Za-z0-9_.-]{20,2000}", "ya29.{a60}"),
    _t("google-client-secret", "GOCSPX-", f"{_W}{{24,60}}", "GOCSPX-{a28}", "SECRET"),
    _t("google-gemini-key", "AQ.", f"Ab8{_W}{{40,120}}", "AQ.Ab8{a47}", "API_KEY"),
    _t("google-fcm", "AAAA", f"{_W}{{7}}:{_W}{{120,160}}", "AAAA{a7}:{a140}", "API_KEY"),
    _t("yandex", "AQVN t1. YC", rf"(?:(?<=AQVN){_W}{{35,40}}|(?<=t1\.)[A-Z0-9a-z_-]+=*\.{_W}{{86}}|(?<=YC){_W}{{38}})", "AQVN{a38}", "API_KEY"),
    _t("digitalocean", "dop_v1_ doo_v1_ dor_v1_", f"{_H}{{64}}", "dop_v1_{h64}"),
    _t("heroku", "HRKU-", f"{_W}{{36,70}}", "HRKU-AA{a58}", "API_KEY"),
    _t("fly", "fo1_ fm1r_ fm1a_ fm2_ fm1_", r"[A-Za-z0-9+/=_-]{40,4000}", "fo1_{a43}"),
    _t("supabase", "sbp_ sb_secret_", f"{_W}{{22,64}}", "sbp_{h40}"),
    _t("planetscale", "pscale_tkn_ pscale_pw_ pscale_oauth_", r"[A-Za-z0-9_.=-]{32,64}", "pscale_tkn_{a43}", "PASSWORD"),
    _t("neon", "napi_", "[a-z0-9]{40,80}", "napi_{l64}", "API_KEY"),
    _t("render", "rnd_", f"{_A}{{28,40}}", "rnd_{a32}", "API_KEY"),
    _t("netlify", "nfp_ nfc_ nfo_ nfu_", f"{_A}{{36,40}}", "nfp_{a36}"),
    _t("vercel", "vcp_ vci_ vca_ vcr_ vck_ vercel_blob_rw_", f"{_W}{{24,64}}", "vcp_{a56}"),
    _t("cloudflare", "cfut_ cfat_ cfk_", f"{_W}{{40,60}}", "cfut_{a48}"),
    _t("cloudflare-origin-ca", "v1.0-", f"{_H}{{24}}-{_H}{{140,160}}", "v1.0-{h24}-{h146}", "KEY"),
    _t("tailscale", "tskey-", f"(?:auth|api|client|scim|webhook)-{_A}{{8,30}}(?:CNTRL)?-{_A}{{16,50}}", "tskey-auth-{a12}CNTRL-{a32}"),
    _t("doppler", "dp.pt. dp.st. dp.ct. dp.sa. dp.scim. dp.audit. dp.said.", r"(?:[a-z0-9_-]{2,35}\.)?[A-Za-z0-9]{40,44}", "dp.pt.{a43}"),
    _t("vault", "hvs. hvb. hvr.", f"{_W}{{24,300}}", "hvs.{a90}"),
    _t("vault-legacy", "s. b. r.", "[A-Za-z0-9]{24}(?![A-Za-z0-9_.-])", "s.{a24}", "TOKEN", mixed),
    _t("pulumi", "pul-", f"{_H}{{40}}", "pul-{h40}"),
    _t("docker", "dckr_pat_ dckr_oat_", f"{_W}{{26,60}}", "dckr_pat_{a27}"),
    _t("docker-swarm", "SWMTKN-1- SWMKEY-1-", "[A-Za-z0-9-]{40,90}", "SWMTKN-1-{l50}-{l25}"),
    _t("akamai", "akab-", f"{_W}{{16,40}}", "akab-{l16}-{l16}"),
    _t("defined-networking", "dnkey-", "[a-z0-9=_-]{26}-[a-z0-9=_-]{52}", "dnkey-{l26}-{l52}"),
    # Models and agents
    _t("anthropic", "sk-ant-", f"{_W}{{20,250}}", "sk-ant-api03-{a93}AA", "API_KEY"),
    _t("openai", "sk-proj- sk-svcacct- sk-admin- sk-None- sk-service-", f"{_W}{{20,250}}", "sk-proj-{a74}T3BlbkFJ{a74}", "API_KEY", mixed),
    _t("openai-legacy", "sk-", rf"(?:[a-z0-9]{{1,20}}-)?(?:{_A}{{20}}T3BlbkFJ{_A}{{20}}|{_A}{{24,100}})", "sk-{a20}T3BlbkFJ{a20}", "API_KEY", mixed),
    _t("openai-session", "sess-", f"{_A}{{40}}", "sess-{a40}"),
    _t("openrouter", "sk-or-v1- sk-or-", f"{_A}{{32,80}}", "sk-or-v1-{h64}", "API_KEY"),
    _t("langfuse", "sk-lf- pk-lf-", _UUID, "sk-lf-{h8}-{h4}-{h4}-{h4}-{h12}", "API_KEY"),
    _t("langsmith", "lsv2_pt_ lsv2_sk_ lsv2_ ls__", f"{_A}{{32}}(?:_{_A}{{10}})?", "lsv2_pt_{h32}_{h10}", "API_KEY"),
    _t("groq", "gsk_", f"{_A}{{40,60}}", "gsk_{a52}", "API_KEY"),
    _t("xai", "xai-", f"{_A}{{70,90}}", "xai-{a80}", "API_KEY"),
    _t("perplexity", "pplx-", f"{_A}{{40,60}}", "pplx-{a48}", "API_KEY"),
    _t("huggingface", "hf_ api_org_", "[A-Za-z0-9]{34}", "hf_{a34}"),
    _t("replicate", "r8_", f"{_A}{{37}}", "r8_{a37}"),
    _t("pinecone", "pcsk_", "[A-Za-z0-9_]{50,90}", "pcsk_{a6}_{a63}", "API_KEY"),
    _t("cerebras", "csk-", f"{_A}{{40,60}}", "csk-{l48}", "API_KEY"),
    _t("fireworks", "fw_", f"{_A}{{22,48}}", "fw_{a24}", "API_KEY"),
    _t("together", "tgp_v1_", f"{_W}{{40,50}}", "tgp_v1_{a43}", "API_KEY"),
    _t("nvidia", "nvapi-", f"{_W}{{60,72}}", "nvapi-{a64}", "API_KEY"),
    _t("llamacloud", "llx-", f"{_W}{{40,60}}", "llx-{a48}", "API_KEY"),
    _t("elevenlabs", "sk_", f"{_H}{{48}}", "sk_{h48}", "API_KEY"),
    _t("tavily", "tvly-", f"(?:dev-|prod-)?{_A}{{24,50}}", "tvly-{a32}", "API_KEY"),
    _t("firecrawl", "fc-", f"{_H}{{32}}", "fc-{h32}", "API_KEY"),
    _t("jina", "jina_", f"{_W}{{50,70}}", "jina_{h32}{a28}", "API_KEY"),
    _t("voyage", "pa-", f"{_W}{{40,60}}", "pa-{a43}", "API_KEY", mixed),
    _t("apify", "apify_api_", f"{_A}{{30,40}}", "apify_api_{a36}", "API_KEY"),
    _t("e2b", "e2b_", f"{_H}{{40}}", "e2b_{h40}", "API_KEY"),
    _t("runpod", "rpa_", f"{_A}{{36,60}}", "rpa_{a46}", "API_KEY"),
    _t("wandb", "wandb_v1_", f"{_W}{{40,90}}", "wandb_v1_{a77}", "API_KEY"),
    _t("wundergraph", "cosmo_", f"{_H}{{32}}", "cosmo_{h32}", "API_KEY"),
    # Code and packages
    _t("github", "ghp_ gho_ ghu_ ghs_ ghr_", f"{_A}{{36,255}}", "ghp_{a36}"),
    _t("github-app", "ghs_", r"\d{1,12}_eyJ[A-Za-z0-9_.-]{36,1200}", "ghs_{d8}_eyJ{a60}.{a60}"),
    _t("github-fine-grained", "github_pat_", "[A-Za-z0-9_]{36,255}", "github_pat_{a22}_{a59}"),
    _t(
        "gitlab", "glpat- gldt- glrt- glrtr- glcbt- glptt- glft- glimt- glagent- glsoat- gloas- glffct- glwt-",
        r"[A-Za-z0-9_-]{15,300}(?:\.[0-9a-z]{2}\.?[0-9a-z]{7,9})?", "glpat-{a20}",
    ),
    _t("gitlab-runner", "GR1348941", f"{_W}{{20,60}}", "GR1348941{a20}"),
    _t("bitbucket-app-password", "ATBB", r"[A-Za-z0-9_=.-]{24,60}", "ATBB{a32}", "PASSWORD"),
    _t("bitbucket-http", "BBDC-", r"[A-Za-z0-9+/@_-]{40,50}", "BBDC-{a44}"),
    _t("atlassian", "ATATT3 ATCTT3", r"[A-Za-z0-9_=.-]{50,300}", "ATATT3xFfGF0{a170}={h8}"),
    _t("npm", "npm_", f"{_A}{{36,40}}", "npm_{a36}"),
    _t("pypi", "pypi-AgE", f"{_W}{{50,1000}}", "pypi-AgEIcHlwaS5vcmc{a80}"),
    _t("rubygems", "rubygems_", f"{_H}{{48}}", "rubygems_{h48}"),
    _t("nuget", "oy2", "[a-z0-9]{43}", "oy2{l43}"),
    _t("crates-io", "cio", f"{_A}{{32}}", "cio{a32}", "TOKEN", mixed),
    _t("clojars", "CLOJARS_", "[A-Za-z0-9]{60}", "CLOJARS_{h60}"),
    _t("artifactory", "AKCp AKC", "[A-Za-z0-9]{10,80}", "AKCp8{a68}", "API_KEY", mixed),
    _t("artifactory-reference", "cmVmdGtu cmVmd", f"{_A}{{50,70}}", "cmVmd{a59}"),
    _t("codecov", "cctoken_ codecov_", f"{_A}{{30,60}}", "codecov_{a36}"),
    _t("circleci", "CCIPAT_ CCIPRJ_", "[A-Za-z0-9_]{40,80}", "CCIPAT_{a22}_{h40}"),
    _t("buildkite", "bkua_ bkct_", "[a-z0-9]{40}", "bkua_{h40}"),
    _t("sonarqube", "sqp_ squ_ sqa_", f"{_H}{{40}}", "squ_{h40}"),
    _t("sourcegraph", "sgp_ slk_ sgd_", "(?:[0-9a-fA-F]{16}_|local_)?[0-9a-fA-F]{40,64}", "sgp_{h16}_{h40}"),
    _t("octopus", "API-", "[A-Z0-9]{25,27}", "API-{u26}", "API_KEY", mixed),
    _t("harness", "pat. sat.", r"[A-Za-z0-9_-]{22}\.[0-9a-f]{24}\.[A-Za-z0-9]{20}", "pat.{a22}.{h24}.{a20}"),
    _t("infracost", "ico-", f"{_A}{{32}}", "ico-{a32}", "API_KEY"),
    _t("postman", "PMAK-", f"{_H}{{24}}-{_H}{{34}}", "PMAK-{h24}-{h34}", "API_KEY"),
    _t("prefect", "pnu_ pnb_", f"{_A}{{36}}", "pnu_{a36}"),
    _t("readme", "rdme_", "[a-z0-9]{70}", "rdme_{l70}"),
    _t("snyk", "snyk_uat. snyk_sat.", r"[A-Za-z0-9._-]{40,200}", "snyk_uat.{h8}.{a60}"),
    _t("terraform-hcp", "hcp. tfe.", r"[A-Za-z0-9._-]{40,120}", "hcp.{a60}", "TOKEN", mixed),
    _t("scalingo", "tk-us-", f"{_W}{{48}}", "tk-us-{a48}"),
    _t("settlemint", "sm_aat_ sm_pat_ sm_sat_", f"{_A}{{16}}", "sm_pat_{a16}"),
    _t("authress", "sc_ ext_ scauth_ authress_", r"[A-Za-z0-9]{5,30}\.[A-Za-z0-9]{4,6}\.(?:acc[_-])?[A-Za-z0-9-]{10,32}\.[A-Za-z0-9+/_=-]{30,120}", "sc_{l12}.{l4}.acc-{l12}.{a40}"),
    # Messages, payments, shops
    _t("slack", "xoxa- xoxb- xoxe- xoxo- xoxp- xoxr- xoxs- xoxc- xoxd- xoxe.xoxb- xoxe.xoxp-", r"[A-Za-z0-9%/+=-]{15,250}", "xoxb-{d12}-{d13}-{a24}"),
    _t("slack-app", "xapp-", r"\d-[A-Za-z0-9-]{10,250}", "xapp-1-A{u10}-{d13}-{h64}"),
    _t("stripe", "sk_live_ sk_test_ sk_prod_ rk_live_ rk_test_ rk_prod_ sk_org_", f"{_W}{{10,250}}", "sk_live_{a24}", "API_KEY"),
    _t("stripe-webhook", "whsec_", r"[A-Za-z0-9+/=_-]{24,80}", "whsec_{a32}", "SECRET"),
    _t("square", "sq0atp- sq0csp- sq0idp-", r"[A-Za-z0-9_\\-]{22,60}", "sq0atp-{a22}"),
    _t("square-access", "EAAA", f"{_W}{{50,64}}", "EAAA{a60}", "TOKEN", mixed),
    _t("shopify", "shpat_ shpca_ shppa_ shpss_ shptka_ shpua_ shprt_", "[0-9a-fA-F]{32,64}", "shpat_{h32}"),
    _t("razorpay", "rzp_live_ rzp_test_", f"{_A}{{14,24}}", "rzp_live_{a14}", "API_KEY"),
    _t("flutterwave", "FLWSECK_TEST- FLWSECK- FLWPUBK_TEST- FLWPUBK- FLWSECK_TEST FLWSECK", "[A-Za-z0-9-]{12,40}", "FLWSECK_TEST-{h32}-X", "API_KEY"),
    _t("gocardless", "live_", f"{_W}{{40}}", "live_{a40}", "TOKEN", mixed),
    _t("lob", "live_ test_", "(?:pub_)?[0-9a-f]{31,35}", "test_{h35}", "API_KEY"),
    _t("easypost", "EZAK EZTK", f"{_A}{{54}}", "EZAK{a54}", "API_KEY"),
    _t("duffel", "duffel_test_ duffel_live_", r"[A-Za-z0-9_=-]{43}", "duffel_test_{a43}"),
    _t("shippo", "shippo_live_ shippo_test_", f"{_H}{{40}}", "shippo_live_{h40}"),
    _t("plaid", "access-sandbox- access-development- access-production-", _UUID, "access-sandbox-{h8}-{h4}-{h4}-{h4}-{h12}"),
    _t("paddle", "pdl_live_ pdl_sdbx_", "[A-Za-z0-9_]{40,70}", "pdl_live_apikey_{l26}_{a22}_{a3}", "API_KEY"),
    _t("sendgrid", "SG.", r"[A-Za-z0-9_-]{16,32}\.[A-Za-z0-9_=-]{30,64}", "SG.{a22}.{a43}", "API_KEY"),
    _t("sendinblue", "xkeysib- xsmtpsib-", "[0-9a-f]{64}-[A-Za-z0-9]{16}", "xkeysib-{h64}-{a16}", "API_KEY"),
    _t("mailgun", "key- pubkey-", f"{_H}{{32}}", "key-{h32}", "API_KEY"),
    _t("resend", "re_", f"{_A}{{8}}_{_A}{{24}}", "re_{a8}_{a24}", "API_KEY"),
    _t("twilio", "SK AC", "[0-9a-z]{32}", "SK{h32}", "API_KEY"),
    _t("facebook", "EAAB EAAC EAAD EAAE EAAF EAAG EAAH EAAI EAAJ EAAK EAAL EAAM EAAN EAAO EAAP EAA", f"{_A}{{20,300}}", "EAAG{a100}", "TOKEN", mixed),
    _t("instagram", "IGQV IGQW IGAA", f"{_W}{{30,300}}", "IGQV{a100}"),
    _t("dropbox", "sl.", f"(?:u\\.)?{_W}{{60,1400}}", "sl.{a136}"),
    _t("zoom-zuplo", "zak_ zpka_", "[A-Za-z0-9_]{30,80}", "zpka_{a40}", "API_KEY"),
    _t("hubspot", "pat-na1- pat-eu1- pat-na2- pat-ap1-", _UUID, "pat-na1-{h8}-{h4}-{h4}-{h4}-{h12}"),
    _t("typeform", "tfp_", r"[A-Za-z0-9_.=-]{40,64}", "tfp_{a59}"),
    _t("contentful", "CFPAT-", f"{_W}{{43}}", "CFPAT-{a43}"),
    _t("linear", "lin_api_ lin_oauth_ lin_wh_", f"{_A}{{32,64}}", "lin_api_{a40}", "API_KEY"),
    _t("notion", "ntn_ secret_", f"{_A}{{40,50}}", "ntn_{d11}{a35}", "API_KEY"),
    _t("figma", "figd_ figo_ figu_ figr_ figoh_ figuh_ figdh_", r"[A-Za-z0-9_-]{36,48}", "figd_{a40}"),
    _t("airtable", "pat", r"[A-Za-z0-9]{14}\.[0-9a-f]{64}", "pat{a14}.{h64}"),
    _t("clickup", "pk_", r"\d{5,12}_[A-Z0-9]{32}", "pk_{d8}_{u32}", "API_KEY"),
    _t("adafruit", "aio_", "[A-Za-z0-9]{28}", "aio_{a28}", "API_KEY"),
    _t("adobe", "p8e-", f"{_A}{{32}}", "p8e-{h32}", "SECRET"),
    _t("beamer", "b_", r"[A-Za-z0-9=_-]{44}", "b_{a44}", "TOKEN", mixed),
    _t("frameio", "fio-u-", r"[A-Za-z0-9_=-]{64}", "fio-u-{a64}"),
    _t("intra42", "s-s4t2ud- s-s4t2af-", f"{_H}{{64}}", "s-s4t2ud-{h64}", "SECRET"),
    _t("launchdarkly", "sdk- mob-", _UUID, "sdk-{h8}-{h4}-{h4}-{h4}-{h12}", "API_KEY"),
    _t("posthog", "phc_ phx_ phr_ pha_ phs_", f"{_A}{{40,70}}", "phc_{a43}", "API_KEY"),
    _t("statsig", "secret-", f"{_A}{{40,50}}", "secret-{a43}", "API_KEY", mixed),
    _t("riot", "RGAPI-", _UUID, "RGAPI-{h8}-{h4}-{h4}-{h4}-{h12}", "API_KEY"),
    # Watching
    _t("databricks", "dapi dkea dose", r"[0-9a-f]{32}(?:-\d)?", "dapi{h32}"),
    _t("dynatrace", "dt0c01. dt0s01. dt0s02.", r"[A-Z2-7]{8,24}\.[A-Z2-7]{64}", "dt0c01.{u24}.{u64}"),
    _t("grafana", "glsa_ glc_", r"[A-Za-z0-9_+/=-]{32,400}", "glsa_{a32}_{h8}"),
    _t("newrelic", "NRAK- NRII- NRAA- NRRA- NRAL- NRJS- NRSP- NRIQ- NRBR-", f"{_W}{{19,64}}", "NRAK-{u27}", "API_KEY"),
    _t("sentry", "sntrys_ sntryu_", r"[A-Za-z0-9+/=_]{60,400}", "sntryu_{h64}"),
    _t("elastic", "essu_", r"[A-Za-z0-9+/=_-]{40,120}", "essu_{a60}", "API_KEY"),
    _t("1password", "ops_eyJ", r"[A-Za-z0-9+/=_-]{100,4000}", "ops_eyJ{a250}"),
    _t("1password-secret-key", "A3-", r"[A-Z0-9]{6}-(?:[A-Z0-9]{11}|[A-Z0-9]{6}-[A-Z0-9]{5})(?:-[A-Z0-9]{5}){3}", "A3-{u6}-{u11}-{u5}-{u5}-{u5}", "SECRET"),
    _t("age", "AGE-SECRET-KEY-1", "[A-Z0-9]{50,70}", "AGE-SECRET-KEY-1{u58}", "KEY"),
    _t("nkey-seed", "SU SA SO SN SC SX", "[A-Z2-7]{56}", "SU{u56}", "KEY", mixed),
    _t("clickhouse", "4b1d", f"{_A}{{38}}", "4b1d{a38}", "SECRET", mixed),
    _t("salesforce", "00D", r"[A-Za-z0-9]{12,15}![A-Za-z0-9._]{60,120}", "00D{a12}!{a96}"),
    _t("microsoft-oauth", "M.C M.R 0.A 1.A", r"[A-Za-z0-9_.!*$-]{80,2000}", "0.A{a400}", "TOKEN", mixed),
    _t("jfrog-identity", "eyJ2ZXIiOi", r"[A-Za-z0-9._-]{60,3000}", "eyJ2ZXIiOi{a120}"),
    _t("salesforce-consumer-key", "3MVG", r"[A-Za-z0-9._]{60,120}", "3MVG{a84}", "API_KEY"),
    _t("pem-in-base64", "LS0tLS1CRUdJTi LS0tLS1CRUdJTiB", r"[A-Za-z0-9+/=]{40,20000}", "LS0tLS1CRUdJTiB{a80}", "KEY"),
    _t("ntlm-message", "TlRMTVNTUA", r"[A-Za-z0-9+/=]{16,8000}", "TlRMTVNTUA{a60}"),
    _t("grafana-legacy", "eyJrIjoi", r"[A-Za-z0-9+/=_-]{40,400}", "eyJrIjoi{a80}", "API_KEY"),
    _t("mapbox-secret", "sk.eyJ", r"[A-Za-z0-9._-]{50,300}", "sk.eyJ{a60}.{a22}"),
)  # fmt: skip
