"""The words that make a key sensitive, personal or harmless: data that `keys` reads.

A key is split into words first (``OPENAI_API_KEY`` → ``openai api key``), so a rule here is about whole words and never about
substrings: that is what keeps ``max_tokens``, ``author`` and ``monkey`` apart from ``token``, ``auth`` and ``key``.
"""

# ruff: noqa: E501 - an entry of a table is one line
from __future__ import annotations

# Words that say by themselves that the value is a secret, wherever they stand last in a key.
SECRET_WORDS = {
    "password": "PASSWORD", "passwords": "PASSWORD", "passwd": "PASSWORD", "passwort": "PASSWORD", "pwd": "PASSWORD",
    "pswd": "PASSWORD", "pass": "PASSWORD", "passphrase": "PASSWORD", "passcode": "PASSWORD", "passkey": "PASSWORD",
    "userpass": "PASSWORD", "paswd": "PASSWORD", "pasword": "PASSWORD", "passw": "PASSWORD", "passwrd": "PASSWORD", "userpwd": "PASSWORD", "mdp": "PASSWORD", "contrasena": "PASSWORD", "senha": "PASSWORD", "pw": "PASSWORD",
    "secret": "SECRET", "secrets": "SECRET", "credential": "SECRET", "credentials": "SECRET", "cred": "SECRET", "creds": "SECRET",
    "authorization": "SECRET", "auth": "SECRET", "bearer": "TOKEN", "jwt": "TOKEN", "csrf": "TOKEN", "xsrf": "TOKEN",
    "csrftoken": "TOKEN", "xsrftoken": "TOKEN", "token": "TOKEN",
    "psswd": "PASSWORD", "pswrd": "PASSWORD", "psword": "PASSWORD", "psswrd": "PASSWORD", "pssword": "PASSWORD", "paswrd": "PASSWORD", "passwod": "PASSWORD", "paasword": "PASSWORD", "passworsd": "PASSWORD", "passowrd": "PASSWORD",
    "kennwort": "PASSWORD", "wachtwoord": "PASSWORD", "adgangskode": "PASSWORD", "passord": "PASSWORD", "salasana": "PASSWORD", "haslo": "PASSWORD", "heslo": "PASSWORD", "jelszo": "PASSWORD", "parola": "PASSWORD", "sifre": "PASSWORD",
    "lozinka": "PASSWORD", "geslo": "PASSWORD", "parool": "PASSWORD", "пароль": "PASSWORD", "密码": "PASSWORD", "密碼": "PASSWORD", "口令": "PASSWORD", "パスワード": "PASSWORD", "비밀번호": "PASSWORD", "비번": "PASSWORD", "암호": "PASSWORD", "패스워드": "PASSWORD",
    "crumb": "TOKEN", "psk": "SECRET",
    "rootpw": "PASSWORD", "bindpw": "PASSWORD", "requirepass": "PASSWORD", "masterauth": "PASSWORD", "cpassword": "PASSWORD", "лозинка": "PASSWORD", "парола": "PASSWORD", "κωδικός": "PASSWORD", "סיסמה": "PASSWORD", "รหัสผ่าน": "PASSWORD",
    "cookie": "COOKIE", "cookies": "COOKIE", "jsessionid": "COOKIE", "phpsessid": "COOKIE", "sessid": "COOKIE",
    "otp": "PASSWORD", "totp": "PASSWORD", "pin": "PASSWORD", "cvv": "CARD_CODE", "cvv2": "CARD_CODE", "cvc": "CARD_CODE", "csc": "CARD_CODE",
    "salt": "SECRET", "nonce": "SECRET", "mnemonic": "SECRET", "dsn": "SECRET", "pat": "TOKEN", "sas": "TOKEN",
}  # fmt: skip

# ``key`` alone is harmless; after one of these words (or a provider's name) it is a secret.
KEY_QUALIFIERS = frozenset(
    """access account admin api app application auth authentication authorization aws backup bot cipher client consumer crypto data
    decrypt decryption deploy developer dev ec ecdsa ed25519 encrypt encryption function functions gpg hmac host integration jwt license licence live
    master openpgp personal pgp private priv prod production project registration restricted root rsa secret secure security server
    service session shared signature signing sign ssh ssl staging storage subscription symmetric test tls tunnel user vault webhook
    activation fernet instrumentation provisioning pragma aes gateway hub merchant payment preshared proxy psk read recovery unseal vpn wifi wpa wpa2 wpa3
    write ingest ingestion admin agent enc dsa dec sandbox team org organization workspace""".split()
)

# ``key`` after one of these finds, sorts or translates something. After any other word it is a secret when it looks random.
KEYS_OF_THINGS = frozenset(
    """partition sort sorting cache caching object primary foreign row record message msg group dedup dedupe deduplication idempotency idempotent routing shard sharding
    hash range index item entity document doc bucket s3 file path translation locale i18n state widget react node edge map registry event trace span
    request response correlation job task queue topic lookup search store redis memcache memo natural surrogate unique join version blob asset image media upload
    download chunk part segment slot lock mutex semaphore limit throttle fingerprint checksum digest etag content build commit issue ticket jira config feature
    flag label tag meta metric series counter gauge dimension column field attribute property prop param parameter header env variable dict json yaml answer
    question prompt embedding vector model thread conversation chat turn step run tool call plan goal memory context kv keyspace table database db schema
    tenant customer order product sku cart invoice transaction tx address page cursor sequence session parent child root entry list array set sub
    composite candidate alternate business secondary next prev previous last first current old new any each every this that the its my your our
    space arrow enter return escape control ctrl alt shift tab function hot short access_path data_path sort_by order_by group_by cluster tree bin
    bucket_object upload_id storage_path device id ids name names type kind value resource component module element event_type rule policy""".split()
)

# Names of providers: ``openai_key``, ``STRIPE_KEY``, ``cloudantKey`` are secrets.
PROVIDERS = frozenset(
    """adafruit adobe airtable akamai algolia alibaba aliyun amplitude anthropic artifactory asana atlassian authress azure beamer bitbucket bittrex
    braintree brave cerebras circleci clickhouse clojars cloudant cloudflare cloudinary codecov cohere coinbase confluence
    confluent contentful databricks datadog deepgram deepl deepseek digitalocean discord docker doppler droneci dropbox duffel
    dynatrace easypost elastic elasticsearch elevenlabs etsy exa facebook fastly figma finicity finnhub firebase fireworks flickr
    flutterwave frameio freshbooks gcp gemini gitea github gitlab gitter gocardless google grafana groq harness hashicorp
    heroku hubspot huggingface hf ibm infracost infura instagram intercom intra42 ionic jfrog jina jira jumpcloud kraken kucoin
    kubernetes langchain langfuse langsmith launchdarkly line linear linkedin lob looker mailchimp mailgun mailjet mapbox
    mapquest mattermost maxmind meraki messagebird microsoft mistral mixpanel mongodb mongo mysql netlify newrelic ngrok notion
    npm nuget nvidia nytimes octopus okta openai openrouter opsgenie pagerduty paypal perplexity pinecone plaid planetscale
    polygon postgres postgresql posthog postman prefect privateai pulumi pypi rapidapi razorpay readme redis replicate resend
    rollbar rubygems salesforce scalingo segment sendbird sendgrid sendinblue sentry serpapi shippo shodan shopify sidekiq
    slack snowflake snyk softlayer sonar sonarqube sourcegraph splunk spotify square squarespace stability stripe
    sumologic supabase tableau tavily telegram terraform tf together travis travisci trello twilio twitch twitter typeform unsplash vercel
    voyage weather xai yandex youtube zendesk zoom zuplo
    abuseipdb adyen agora aha ahrefs ai21 airbrake aiven alchemy alegra alienvault amadeus anypoint apiflash apify apilayer apollo appcenter appcues
    appdynamics appsflyer assemblyai auth0 autodesk aviationstack axiom ayrshare azureopenai bannerbear baseten betterstack binance bitfinex bitly
    bitmex blockfrost blynk braintrust brevo browserbase browserstack bscscan bugsnag buildkite bunny buttercms calendarific calendly campaignmonitor
    captcha censys chartmogul checkly cicero clarifai clearbit clerk clickup clockify cloudconvert cloudsmith codacy codeclimate codemagic coinapi
    coinlayer coinmarketcap contentstack convertapi convertkit convex courier coveralls cryptocompare currencylayer customerio cypress dataforseo
    deepai deepinfra delighted didomi diffbot dockerhub docusign easyinsight edenai elasticemail etherscan eventbrite exchangerate exchangeratesapi
    expo fal filestack fixer flightaware foursquare freshdesk front fullstory gemfury geoapify geocodio getresponse giphy gnews godaddy gumroad
    hellosign helpscout hereapi honeybadger honeycomb hotjar hunter hyperbolic imagekit imagga insightly instabot ipdata ipgeolocation ipinfo ipstack
    iterable jenkins jotform kagi keen keenio keycdn kickbox klaviyo kontent langgraph lastfm lemonsqueezy lepton lightstep liveblocks localytics
    logdna loggly logtail logzio loops mailboxlayer mailerlite mailersend mailmodo mailosaur mandrill mediastack metaapi metabase miro modal monday
    moonshot mux nango nasa nebius neon newsapi nexmo novita numverify nylas ollama omnisend onelogin onesignal opencage opencagedata
    openexchangerates openweather openweathermap optimizely packagecloud paddle pandadoc pastebin paystack pdflayer pexels phantombuster pinata
    pingdom pipedream pipedrive pivotaltracker pixabay plivo poloniex postmark printful prismic producthunt proxycrawl pubnub pushbullet pusher
    qualtrics quickbooks rapid7 rawg rebrandly recaptcha recurly retool revai ringcentral roboflow runpod runway sambanova sanity saucelabs scaleway
    scraperapi scrapfly scrapingant scrapingbee securitytrails serper serpstack sevdesk sightengine simplesat siteleaf smartsheet
    smartystreets sparkpost spoonacular statuspage storyblok strava stytch swell teamviewer testrail textmagic ticketmaster tiingo tinypng tmdb
    todoist tomorrowio tomtom transferwise turso twelvedata typesense uploadcare upstash uptimerobot userstack vapi verifone vimeo virustotal
    voicegain vonage vultr wakatime wandb watsonx weatherstack weaviate webflow wepay whoisxml wistia wolframalpha woocommerce wordnik workday workos
    xero yelp zapier zenrows zenserp zerobounce zhipu zipcodeapi""".split()
)

# Words for a password that are glued to what it belongs to, where no spaces part words: ``数据库密码``.
GLUED = ("密码", "密碼", "口令", "パスワード", "비밀번호", "암호")

# What a password belongs to, glued to it: ``mysqlpass``, ``ftppwd``.
LOGINS = frozenset(
    "mysql db user proxyuser dbuser root admin pg postgres redis ssh ftp sftp smtp mail login my auth http proxy store key app api git ldap vpn wifi sudo mongo oracle sql web".split()
)

# Several words in a row (joined), for keys whose last word says nothing by itself.
SECRET_PHRASES = {
    "connectionstring": "SECRET", "sonarlogin": "TOKEN", "dsonarlogin": "TOKEN", "accessid": "API_KEY", "xjfrogartapi": "API_KEY", "artapi": "API_KEY", "userpwd": "PASSWORD", "connstring": "SECRET", "connstr": "SECRET", "connectionstr": "SECRET",
    "passwordpepper": "SECRET", "authpepper": "SECRET", "验证码": "PASSWORD", "認証コード": "PASSWORD", "인증번호": "PASSWORD", "подтверждения": "PASSWORD", "unlockcode": "PASSWORD", "alarmcode": "PASSWORD", "doorcode": "PASSWORD", "mtan": "PASSWORD", "tan": "PASSWORD", "пинкод": "PASSWORD", "kodpin": "PASSWORD", "codepin": "PASSWORD", "bestätigungscode": "PASSWORD", "mậtkhẩu": "PASSWORD", "katasandi": "PASSWORD", "katalaluan": "PASSWORD", "clavedeacceso": "PASSWORD",
    "contraseña": "PASSWORD", "motdepasse": "PASSWORD", "lösenord": "PASSWORD", "hasło": "PASSWORD", "jelszó": "PASSWORD", "şifre": "PASSWORD", "presharedkey": "SECRET", "sharedaccesskey": "SECRET", "slkey": "API_KEY", "secretkeybase": "SECRET", "slapikey": "API_KEY", "sonartoken": "TOKEN",
    "passphrase": "PASSWORD", "passcode": "PASSWORD", "passkey": "PASSWORD", "password": "PASSWORD", "securitycode": "CARD_CODE", "cardcode": "CARD_CODE", "verificationcode": "PASSWORD", "authcode": "PASSWORD",
    "authorizationcode": "PASSWORD", "authenticationcode": "PASSWORD", "smscode": "PASSWORD", "mfacode": "PASSWORD",
    "2facode": "PASSWORD", "onetimecode": "PASSWORD", "otpcode": "PASSWORD", "logincode": "PASSWORD", "accesscode": "PASSWORD", "pincode": "PASSWORD",
    "recoverycode": "PASSWORD", "recoverycodes": "PASSWORD", "backupcode": "PASSWORD", "backupcodes": "PASSWORD",
    "seedphrase": "SECRET", "secretphrase": "SECRET", "recoveryphrase": "SECRET", "securityanswer": "PASSWORD", "secretanswer": "PASSWORD",
    "privatekey": "KEY", "privkey": "KEY", "sshkey": "KEY", "rsakey": "KEY",
    "apikey": "API_KEY", "apikeys": "API_KEY", "apisecret": "SECRET", "appsecret": "SECRET", "appkey": "API_KEY", "accesskey": "API_KEY", "secretkey": "SECRET",
    "authkey": "API_KEY", "masterkey": "SECRET", "accountkey": "SECRET", "storagekey": "SECRET", "sharedkey": "SECRET", "signingkey": "SECRET",
    "encryptionkey": "SECRET", "servicekey": "API_KEY", "licensekey": "API_KEY", "sessionkey": "SECRET", "accesstoken": "TOKEN",
    "authtoken": "TOKEN", "refreshtoken": "TOKEN", "idtoken": "TOKEN", "apitoken": "TOKEN", "bearertoken": "TOKEN", "sessiontoken": "TOKEN",
    "securitytoken": "TOKEN", "usertoken": "TOKEN", "clientsecret": "SECRET", "sharedsecret": "SECRET", "dbpass": "PASSWORD", "dbpassword": "PASSWORD",
    "rootpassword": "PASSWORD", "userpassword": "PASSWORD", "adminpassword": "PASSWORD", "dbpasswd": "PASSWORD", "secretaccesskey": "SECRET", "serviceaccountjson": "SECRET",
    "pgpassword": "PASSWORD", "mysqlpwd": "PASSWORD", "sshpass": "PASSWORD", "keypassphrase": "PASSWORD", "storepass": "PASSWORD", "keypass": "PASSWORD",
}  # fmt: skip

# A key that ends in one of these names a property of the secret, not the secret.
HARMLESS_TAILS = frozenset(
    """id ids identifier name names count counts type types kind length len size sizes policy policies required require enabled disabled active
    expiry expires expired expiration exp ttl age lifetime format alg algorithm status state sent verified valid invalid validated consent
    label labels reset resets min max limit limits budget usage used remaining rate cost price endpoint url uri provider providers manager store
    path paths file filename dir directory folder version field fields param parameter parameters column columns prefix suffix index position error errors created updated rotated
    at time timestamp date issuer audience scope scopes method methods mode strategy handler config configuration settings options
    template page form input present missing found exists set changed rotation strength rules rule ref reference arn per second
    bits domain location region vault backend service class source target total ratio latency window stats metrics banner preferences notice
    schema mapping mappings placeholder prompt description checker validator generator middleware permission permissions role roles
    owner scheme header headers logprobs probs bias encoding encoder map ids list events event level code codes message server client flow ok""".split()
)

# ``token`` with one of these is about text or paging, not about access.
TOKEN_HARMLESS = frozenset(
    """max min num number n total count input output prompt completion cached cache reasoning audio text image thinking used remaining next page
    continuation previous prev sync pagination cursor stop eos bos pad unk mask sep cls special first last per end start begin context budget
    billed candidates thoughts accepted rejected prediction generated image video estimated avg average mean word sub byte""".split()
)
# ``tokens`` (plural) counts text unless one of these stands before it.
TOKENS_SECRET = frozenset(
    "access refresh auth api bearer session id oauth oauth2 csrf jwt user bot service personal deploy security push device".split()
)
# Any of these anywhere before a secret word makes it harmless.
HARMLESS_HEADS = frozenset(
    "has is no num count public requires require missing hide show forgot reset use uses using with without needs".split()
)

PERSONAL_PHRASES = {
    "email": "EMAIL", "emails": "EMAIL", "mail": "EMAIL", "emailaddress": "EMAIL", "emailadresse": "EMAIL", "mailadresse": "EMAIL", "emailaddresses": "EMAIL", "mailaddress": "EMAIL",
    "phone": "PHONE", "phones": "PHONE", "phonenumber": "PHONE", "phonenumbers": "PHONE", "phoneno": "PHONE", "mobile": "PHONE", "mobilenumber": "PHONE",
    "mobilephone": "PHONE", "cellphone": "PHONE", "cell": "PHONE", "cellnumber": "PHONE", "telephone": "PHONE", "telephonenumber": "PHONE", "tel": "PHONE", "fax": "PHONE",
    "faxnumber": "PHONE", "msisdn": "PHONE", "whatsapp": "PHONE", "whatsappnumber": "PHONE", "contactnumber": "PHONE", "homephone": "PHONE", "workphone": "PHONE",
    "telefon": "PHONE", "telefono": "PHONE", "teléfono": "PHONE", "telefone": "PHONE", "téléphone": "PHONE", "telefoon": "PHONE", "telefonnummer": "PHONE", "telefoonnummer": "PHONE", "telefonu": "PHONE", "rufnummer": "PHONE", "handynummer": "PHONE", "mobilnummer": "PHONE", "mobiltelefon": "PHONE", "celular": "PHONE", "cellulare": "PHONE",
    "móvil": "PHONE", "puhelin": "PHONE", "puhelinnumero": "PHONE", "телефон": "PHONE", "телефона": "PHONE", "тел": "PHONE", "τηλέφωνο": "PHONE", "電話": "PHONE", "電話番号": "PHONE", "携帯": "PHONE", "携帯番号": "PHONE", "电话": "PHONE", "手机": "PHONE", "手机号": "PHONE", "手机号码": "PHONE", "电话号码": "PHONE", "携帯電話": "PHONE", "휴대폰번호": "PHONE", "연락처": "PHONE", "telemóvel": "PHONE", "联系电话": "PHONE", "전화번호": "PHONE", "휴대폰": "PHONE", "โทร": "PHONE", "sđt": "PHONE", "điệnthoại": "PHONE", "callerid": "PHONE",
    "dob": "BIRTH_DATE", "dateofbirth": "BIRTH_DATE", "birthdate": "BIRTH_DATE", "birthday": "BIRTH_DATE", "birth": "BIRTH_DATE", "born": "BIRTH_DATE",
    "bday": "BIRTH_DATE", "生日": "BIRTH_DATE", "생일": "BIRTH_DATE", "誕生日": "BIRTH_DATE", "출생일": "BIRTH_DATE", "出生年月": "BIRTH_DATE", "syntynyt": "BIRTH_DATE", "рожд": "BIRTH_DATE", "fechadenac": "BIRTH_DATE", "dataur": "BIRTH_DATE", "geburtstag": "BIRTH_DATE", "geboren": "BIRTH_DATE", "geb": "BIRTH_DATE", "naissance": "BIRTH_DATE", "nacimiento": "BIRTH_DATE", "nascimento": "BIRTH_DATE", "nascita": "BIRTH_DATE",
    "geboortedatum": "BIRTH_DATE", "urodzenia": "BIRTH_DATE", "narození": "BIRTH_DATE", "narodenia": "BIRTH_DATE", "födelsedatum": "BIRTH_DATE", "fødselsdato": "BIRTH_DATE", "fødselsdag": "BIRTH_DATE", "syntymäaika": "BIRTH_DATE", "doğumtarihi": "BIRTH_DATE", "dogumtarihi": "BIRTH_DATE",
    "рождения": "BIRTH_DATE", "народження": "BIRTH_DATE", "γέννησης": "BIRTH_DATE", "生年月日": "BIRTH_DATE", "出生日期": "BIRTH_DATE", "생년월일": "BIRTH_DATE", "tanggallahir": "BIRTH_DATE", "születésidátum": "BIRTH_DATE", "nașterii": "BIRTH_DATE", "naşterii": "BIRTH_DATE", "rođenja": "BIRTH_DATE", "ngàysinh": "BIRTH_DATE",
    "birthyear": "BIRTH_DATE", "placeofbirth": "ADDRESS", "birthplace": "ADDRESS", "geburtsdatum": "BIRTH_DATE",
    "firstname": "NAME", "lastname": "NAME", "middlename": "NAME", "givenname": "NAME", "familyname": "NAME", "fullname": "NAME", "surname": "NAME",
    "maidenname": "NAME", "kty": "JWK?", "name": "NAME?", "nickname": "NAME", "fname": "NAME", "lname": "NAME", "forename": "NAME", "middleinitial": "NAME", "legalname": "NAME", "preferredname": "NAME",
    "customername": "NAME", "passengername": "NAME", "patientname": "NAME", "employeename": "NAME", "cardholdername": "NAME", "holdername": "NAME",
    "accountholder": "NAME", "cardholder": "NAME", "beneficiaryname": "NAME", "recipientname": "NAME", "sendername": "NAME", "contactname": "NAME", "personname": "NAME",
    "payername": "NAME", "payeename": "NAME", "guestname": "NAME", "membername": "NAME", "spousename": "NAME", "mothersmaidenname": "NAME",
    "vorname": "NAME", "nachname": "NAME", "familienname": "NAME", "prénom": "NAME", "apellido": "NAME", "apellidos": "NAME", "cognome": "NAME", "sobrenome": "NAME", "apelido": "NAME", "voornaam": "NAME", "achternaam": "NAME", "imię": "NAME", "imie": "NAME", "nazwisko": "NAME",
    "förnamn": "NAME", "efternamn": "NAME", "fornavn": "NAME", "etternavn": "NAME", "efternavn": "NAME", "etunimi": "NAME", "sukunimi": "NAME", "příjmení": "NAME", "имя": "NAME", "фамилия": "NAME", "отчество": "NAME", "姓名": "NAME", "氏名": "NAME", "성명": "NAME",
    "anschrift": "ADDRESS", "adresse": "ADDRESS", "dirección": "ADDRESS", "direccion": "ADDRESS", "indirizzo": "ADDRESS", "endereço": "ADDRESS", "adres": "ADDRESS", "straße": "ADDRESS", "strasse": "ADDRESS", "адрес": "ADDRESS", "住所": "ADDRESS", "地址": "ADDRESS", "주소": "ADDRESS",
    "postleitzahl": "POSTAL_CODE", "codepostal": "POSTAL_CODE", "códigopostal": "POSTAL_CODE", "codigopostal": "POSTAL_CODE", "郵便番号": "POSTAL_CODE", "邮编": "POSTAL_CODE",
    "address": "ADDRESS", "addresses": "ADDRESS", "addr": "ADDRESS", "addressline": "ADDRESS", "street": "ADDRESS", "streetaddress": "ADDRESS", "streetname": "ADDRESS",
    "homeaddress": "ADDRESS", "postaladdress": "ADDRESS", "mailingaddress": "ADDRESS", "billingaddress": "ADDRESS", "shippingaddress": "ADDRESS",
    "deliveryaddress": "ADDRESS", "housenumber": "ADDRESS", "apartment": "ADDRESS", "streetline": "ADDRESS",
    "zip": "POSTAL_CODE", "zipcode": "POSTAL_CODE", "postalcode": "POSTAL_CODE", "postcode": "POSTAL_CODE", "plz": "POSTAL_CODE",
    "ssn": "NATIONAL_ID", "socialsecurity": "NATIONAL_ID", "socialsecuritynumber": "NATIONAL_ID", "itin": "NATIONAL_ID", "sin": "NATIONAL_ID", "socialinsurancenumber": "NATIONAL_ID",
    "taxid": "NATIONAL_ID", "taxnumber": "NATIONAL_ID", "taxpayerid": "NATIONAL_ID", "tin": "NATIONAL_ID", "nationalid": "NATIONAL_ID", "nationalidnumber": "NATIONAL_ID",
    "nationalinsurancenumber": "NATIONAL_ID", "nino": "NATIONAL_ID", "nhsnumber": "NATIONAL_ID", "nhs": "NATIONAL_ID", "aadhaar": "NATIONAL_ID", "aadhaarnumber": "NATIONAL_ID", "curp": "NATIONAL_ID",
    "cpf": "NATIONAL_ID", "dni": "NATIONAL_ID", "nie": "NATIONAL_ID", "nif": "NATIONAL_ID", "bsn": "NATIONAL_ID", "pesel": "NATIONAL_ID", "personnummer": "NATIONAL_ID",
    "fodselsnummer": "NATIONAL_ID", "hkid": "NATIONAL_ID", "nric": "NATIONAL_ID", "codicefiscale": "NATIONAL_ID", "identitynumber": "NATIONAL_ID", "idcardnumber": "NATIONAL_ID",
    "medicarenumber": "NATIONAL_ID", "healthinsurancenumber": "NATIONAL_ID", "residentregistrationnumber": "NATIONAL_ID", "voterid": "NATIONAL_ID", "rrn": "NATIONAL_ID",
    "cnic": "NATIONAL_ID", "emiratesid": "NATIONAL_ID", "iqama": "NATIONAL_ID", "cuil": "NATIONAL_ID", "steuerid": "NATIONAL_ID", "steuernummer": "NATIONAL_ID", "taxidentificationnumber": "NATIONAL_ID", "oib": "NATIONAL_ID",
    "personalausweis": "NATIONAL_ID", "personalausweisnummer": "NATIONAL_ID", "ausweisnummer": "NATIONAL_ID", "ausweisnr": "NATIONAL_ID", "sozialversicherungsnummer": "NATIONAL_ID", "svnummer": "NATIONAL_ID", "rentenversicherungsnummer": "NATIONAL_ID", "versichertennummer": "NATIONAL_ID", "idcard": "NATIONAL_ID", "identitycard": "NATIONAL_ID",
    "身份证": "NATIONAL_ID", "身份证号": "NATIONAL_ID", "身份证号码": "NATIONAL_ID", "주민등록번호": "NATIONAL_ID", "マイナンバー": "NATIONAL_ID", "個人番号": "NATIONAL_ID", "medicalrecordnumber": "PERSONAL", "mrn": "PERSONAL", "vehicleidentificationnumber": "PERSONAL", "fahrgestellnummer": "PERSONAL", "residencepermit": "NATIONAL_ID",
    "cnp": "NATIONAL_ID", "ppsn": "NATIONAL_ID", "mbi": "NATIONAL_ID", "citizenid": "NATIONAL_ID", "identificationnumber": "NATIONAL_ID", "personalidnumber": "NATIONAL_ID", "vatnumber": "TAX_ID", "vatid": "TAX_ID", "imei": "PERSONAL",
    "passport": "PASSPORT", "passportnumber": "PASSPORT", "passportno": "PASSPORT", "passportid": "PASSPORT",
    "reisepass": "PASSPORT", "reisepassnummer": "PASSPORT", "reisepassnr": "PASSPORT", "passeport": "PASSPORT", "pasaporte": "PASSPORT", "passaporto": "PASSPORT", "passaporte": "PASSPORT", "paspoort": "PASSPORT", "paspoortnummer": "PASSPORT", "paszportu": "PASSPORT", "pasaport": "PASSPORT", "паспорт": "PASSPORT", "паспорта": "PASSPORT",
    "护照": "PASSPORT", "护照号": "PASSPORT", "护照号码": "PASSPORT", "護照號碼": "PASSPORT", "旅券番号": "PASSPORT", "パスポート番号": "PASSPORT", "여권번호": "PASSPORT", "traveldocumentnumber": "PASSPORT",
    "führerschein": "LICENSE", "führerscheinnummer": "LICENSE", "permisdeconduire": "LICENSE", "rijbewijs": "LICENSE", "rijbewijsnummer": "LICENSE", "patentediguida": "LICENSE", "carnetdeconducir": "LICENSE", "cnh": "LICENSE", "numberplate": "LICENSE", "dln": "LICENSE", "dlnumber": "LICENSE", "targa": "LICENSE", "platenumber": "LICENSE", "kennzeichen": "LICENSE", "immatriculation": "LICENSE", "matrícula": "LICENSE",
    "driverlicense": "LICENSE", "driverslicense": "LICENSE", "driverlicence": "LICENSE", "driverslicence": "LICENSE", "drivinglicense": "LICENSE",
    "drivinglicence": "LICENSE", "licensenumber": "LICENSE", "licencenumber": "LICENSE", "driverlicensenumber": "LICENSE", "driverslicensenumber": "LICENSE",
    "licenseplate": "LICENSE",
    "card": "CARD", "cardnumber": "CARD", "cardno": "CARD", "ccnumber": "CARD", "ccnum": "CARD", "creditcard": "CARD", "creditcardnumber": "CARD", "debitcard": "CARD",
    "debitcardnumber": "CARD", "pan": "CARD",
    "iban": "IBAN", "accountnumber": "BANK", "bankaccount": "BANK", "bankaccountnumber": "BANK", "routingnumber": "BANK", "sortcode": "BANK", "acctnumber": "BANK",
    "accountno": "BANK", "kontonummer": "BANK", "kontonr": "BANK", "numérodecompte": "BANK", "númerodecuenta": "BANK", "rekeningnummer": "BANK", "numerkonta": "BANK", "clabe": "BANK", "bsb": "BANK", "bankgiro": "BANK",
    "kartennummer": "CARD", "kreditkarte": "CARD", "kreditkartennummer": "CARD", "numérodecarte": "CARD", "númerodetarjeta": "CARD",
    "walletaddress": "WALLET",
}  # fmt: skip

# ``email_…`` with one of these at the end is about an e-mail, not an address; the same for the other personal words.
PERSONAL_TAILS_DROPPED = frozenset(
    "value text str string raw plain plaintext input field line primary secondary".split()
)
# ``…_address`` that is no postal address.
ADDRESSES = frozenset("address addresses addr adresse adres адрес 地址".split())
ADDRESS_HARMLESS = frozenset(
    "api destination source gateway callback ip ipv4 ipv6 mac memory server host bind listen contract network base virtual physical remote local peer web url http target broker node socket wallet".split()
)
# Words that say that the mapping under them, or the one they stand in, is about a person.
PERSON_WORDS = frozenset(
    """user customer passenger patient employee person contact client member guest traveler traveller applicant holder cardholder beneficiary
    recipient sender spouse insured subscriber resident student payer payee buyer seller owner consumer people passengers users customers patients employees contacts
    members guests persons applicants students""".split()
)
# A mapping with one of these beside ``name`` names a tool, a model or a thing.
THING_WORDS = frozenset(
    """arguments parameters type function description input tool_call_id toolcallid schema input_schema version strict tool call_id args
    kwargs command path size price amount category sku""".split()
)

# A mapping with one of these beside ``name`` describes a person.
PERSON_KEYS = frozenset(
    """email email_address phone phone_number mobile dob date_of_birth birth_date birthday ssn passport passport_number address gender age
    first_name last_name surname nationality firstname lastname dateofbirth phonenumber emailaddress title salutation""".split()
)

# Categories whose keys belong to a person rather than to a credential.
PERSONAL = frozenset(
    "EMAIL PHONE BIRTH_DATE NAME ADDRESS POSTAL_CODE NATIONAL_ID TAX_ID PASSPORT LICENSE CARD IBAN BANK WALLET IP MAC PERSONAL".split()
)

# What `told` and `prose` look for in a text that has no word for a secret: a word, and what it must belong to unless it is
# enough. None of it has fewer than six digits and capitals behind it.
# A bar parts what one word may belong to.
TOLD = {
    **dict.fromkeys(
        """geb geboren nacido nacida nascido nascida urodzony urodzona narozen narozena ausweis ausweisnummer ausweisnr personalausweis personalausweisnummer patente
        rijbewijs rijbewijsnummer paspoort paspoortnummer paszport paszportu dowodu kennzeichen immatriculation aufenthaltstitel acct kto konto kontonummer kontonr rekening
        rekeningnummer bankgiro bsb pin cvv cvv2 cvc cvc2 mrn otp tan mtan nacimiento nascita naissance nascimento geboortedatum geburtsdatum pps ppsn sicherheitscode verificatiecode beveiligingscode""".split()
    ),
    "nato": "nato ", "nata": "nata ", "code": "code de|code d'|code di|your ", "codigo": "codigo de", "codice": "codice di", "id": "id card", "identity": "identity card", "carte": "carte d", "carta": "carta d", "permis": "permis de",
    "permiso": "permiso de", "prawo": "prawo jazdy", "carnet": "carnet de", "travel": "travel doc", "residence": "residence permit", "dowod": "dowod o", "plate": "plate n", "plates": "number plates", "number": "number plate",
    "registration": "registration plate", "dl": "dl:|dl #|dl#|dl n|dl :", "account": "account num|account no.|account no:|account no |account nr|account #|account is", "acc": "acc", "a": "a/c", "c": "a/c", "sort": "sort code|sort-code", "sortcode": "sortcode", "confirm": " to confirm", "log": " to log",
    "verify": " to verify", "sign": " to sign", "medical": "medical record",
}  # fmt: skip
# The same beyond ASCII.
TOLD_WIDE = (
    "digo de ",
    "numéro de",
    "número de",
    "bestätigungscode",
    "né le",
    "née le",
    "född",
    "født",
    "hrerschein",
    "condução",
    "osobisty",
)
# Words for a password beyond ASCII that need no sign behind them: ``пароль tulip99``.
STATED_WIDE = (
    "contrase",
    "senha",
    "kennwort",
    "lösenord",
    "парол",
    "密码",
    "密碼",
    "口令",
    "パスワード",
    "비밀번호",
    "hasł",
    "şifre",
    "κωδικός",
    "סיסמה",
)
# What opens a statement or a block that `placed` looks into.
OPENINGS = ("insert into", 'variable "', "{ get;")
# Calls that take a secret by its place: in lower case, which argument it is, and the category.
CALLS = {
    **dict.fromkeys(("basicauth(", "digestauth(", "networkcredential(", "new credentials(", " login(", "passwordcredentials(", "withcredentials(", ".login(", "emailandpassword(", "credentials.basic(", "passwordauthentication("), ("second", "PASSWORD")),
    **dict.fromkeys(("getconnection(", "mysqli_connect(", "mysql_connect(", "mysqli(", "pdo("), ("third", "PASSWORD")),
    **dict.fromkeys(("jwt.encode(", "jwt.decode(", "jwt.sign(", "jwt.verify(", "fernet(", "hmac.new(", "createhmac("), ("key", "SECRET")),
    "awscredentials(": ("second", "SECRET"), "twilio.rest.client(": ("second", "TOKEN"), "twilio(": ("second", "TOKEN"), "= client(": ("second", "TOKEN"),
}  # fmt: skip
