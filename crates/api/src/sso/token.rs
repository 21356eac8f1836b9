//! ID tokens (OpenID Connect Core 1.0, 3.1.3.7): the signature by a key of the provider, and every claim that says for
//! whom a token is, by whom, and until when. RS256 and ES256; nothing that the token itself proposes beyond these.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde_json::Value;

/// The longest token, bytes.
const LONGEST: usize = 64 << 10;
/// Keys of a provider that are looked at.
const KEYS: usize = 50;
/// How far clocks may differ, seconds.
const LEEWAY: f64 = 60.0;

#[derive(Debug, Clone)]
enum Key {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
}

/// The keys of a provider (RFC 7517), those that sign and that this server can check.
#[derive(Debug, Clone)]
pub struct Keys(Vec<(Option<String>, Key)>);

fn bytes(value: &Value, name: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD
        .decode(value.get(name)?.as_str()?.trim_end_matches('='))
        .ok()?;
    Some(bytes)
}

fn key(value: &Value) -> Option<Key> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    if text("use").is_some_and(|u| u != "sig") {
        return None;
    }
    match (text("kty")?, text("alg")) {
        ("RSA", None | Some("RS256")) => {
            let number = |name| {
                let all = bytes(value, name)?;
                let zeros = all.iter().take_while(|b| **b == 0).count();
                Some(all[zeros..].to_vec()).filter(|n| !n.is_empty())
            };
            Some(Key::Rsa {
                n: number("n")?,
                e: number("e")?,
            })
        }
        ("EC", None | Some("ES256")) if text("crv") == Some("P-256") => {
            let (x, y) = (bytes(value, "x")?, bytes(value, "y")?);
            (x.len() == 32 && y.len() == 32).then(|| Key::P256([&[4][..], &x, &y].concat()))
        }
        _ => None,
    }
}

impl Keys {
    /// Reads a set of keys; those of other kinds are passed over.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(body: &[u8]) -> Result<Keys, String> {
        let set: Value = serde_json::from_slice(body).map_err(|e| format!("this is no set of keys: {e}"))?;
        let list = set.get("keys").and_then(Value::as_array);
        let list = list.ok_or_else(|| "this is no set of keys: it has no 'keys'".to_owned())?;
        let read = |value: &Value| {
            let kid = value.get("kid").and_then(Value::as_str).map(str::to_owned);
            Some((kid, key(value)?))
        };
        Ok(Keys(list.iter().take(KEYS).filter_map(read).collect()))
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }
}

/// What a token must be.
pub struct Wanted<'a> {
    /// By whom.
    pub issuer: &'a str,
    /// For whom.
    pub client_id: &'a str,
    /// For which sign-in.
    pub nonce: &'a str,
    /// The time, seconds.
    pub now: f64,
}

/// Why a token is not good.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wrong {
    /// No key of the provider fits: it may have new ones.
    UnknownKey,
    /// It was not signed by the provider, or is no token of this kind.
    Forged(&'static str),
    /// It is over, or not yet valid.
    Time(&'static str),
    /// It answers another sign-in.
    Nonce,
    /// It is for or by somebody else.
    Elsewhere(&'static str),
}

/// What a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// What somebody is called at the provider.
    pub subject: String,
    /// Their address, lower case.
    pub email: Option<String>,
    /// The provider knows that it is theirs.
    pub verified: bool,
    /// Their name.
    pub name: String,
}

impl Claims {
    /// Takes what a token or a userinfo answer says of a person.
    pub fn take_person(&mut self, body: &Value) {
        let text = |name: &str| body.get(name).and_then(Value::as_str).map(str::trim);
        if let Some(email) = text("email").filter(|e| !e.is_empty() && e.len() <= 200) {
            self.email = Some(email.to_lowercase());
            // Some write it as a text or a number; Entra has it under a name of its own.
            let said = body.get("email_verified").or_else(|| body.get("xms_edov"));
            self.verified = match said {
                Some(Value::Bool(said)) => *said,
                Some(Value::String(said)) => said == "true" || said == "1",
                Some(Value::Number(said)) => said.as_i64() == Some(1),
                _ => false,
            };
        }
        if let Some(name) = text("name").filter(|n| !n.is_empty()) {
            self.name = name.chars().take(200).collect();
        }
    }
}

fn json(part: &str) -> Option<Value> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

fn signed(key: &Key, alg: &str, message: &[u8], signature: &[u8]) -> bool {
    match (key, alg) {
        (Key::Rsa { n, e }, "RS256") => RsaPublicKeyComponents { n, e }
            .verify(&RSA_PKCS1_2048_8192_SHA256, message, signature)
            .is_ok(),
        (Key::P256(point), "ES256") => UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
            .verify(message, signature)
            .is_ok(),
        _ => false,
    }
}

/// Checks a token and reads what it says.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check(token: &str, keys: &Keys, wanted: &Wanted<'_>) -> Result<Claims, Wrong> {
    let shape = Wrong::Forged("it is no signed token");
    if token.len() > LONGEST {
        return Err(Wrong::Forged("it is too long"));
    }
    let parts: Vec<&str> = token.split('.').collect();
    let [head, body, signature] = parts[..] else {
        return Err(shape);
    };
    let header = json(head).ok_or_else(|| shape.clone())?;
    let claims = json(body).ok_or_else(|| shape.clone())?;
    let signature = URL_SAFE_NO_PAD.decode(signature).map_err(|_| shape)?;
    let alg = header.get("alg").and_then(Value::as_str).unwrap_or("");
    if !matches!(alg, "RS256" | "ES256") || header.get("crit").is_some() {
        return Err(Wrong::Forged("it is not signed by RS256 or ES256"));
    }
    let kid = header.get("kid").and_then(Value::as_str);
    let mut fitting = keys
        .0
        .iter()
        .filter(|(k, _)| kid.is_none() || k.as_deref() == kid)
        .peekable();
    if fitting.peek().is_none() {
        return Err(Wrong::UnknownKey);
    }
    let message = &token.as_bytes()[..head.len() + 1 + body.len()];
    if !fitting.any(|(_, key)| signed(key, alg, message, &signature)) {
        // Without a name of its key, it may be signed by one that is new.
        return Err(match kid {
            Some(_) => Wrong::Forged("its signature is not the provider's"),
            None => Wrong::UnknownKey,
        });
    }
    said(&claims, wanted)
}

/// The claims of a token whose signature is good.
fn said(claims: &Value, wanted: &Wanted<'_>) -> Result<Claims, Wrong> {
    let text = |name: &str| claims.get(name).and_then(Value::as_str);
    if text("iss") != Some(wanted.issuer) {
        return Err(Wrong::Elsewhere("it names another issuer"));
    }
    let (mine, others) = match claims.get("aud") {
        Some(Value::String(one)) => (one == wanted.client_id, false),
        Some(Value::Array(all)) => (all.iter().any(|a| a == wanted.client_id), all.len() > 1),
        _ => (false, false),
    };
    let party = text("azp");
    if !mine || party.is_some_and(|p| p != wanted.client_id) || (others && party.is_none()) {
        return Err(Wrong::Elsewhere("it is for another client"));
    }
    let time = |name: &str| claims.get(name).and_then(Value::as_f64);
    let (Some(until), Some(made)) = (time("exp"), time("iat")) else {
        return Err(Wrong::Time("it does not say until when it is valid"));
    };
    if until + LEEWAY <= wanted.now {
        return Err(Wrong::Time("it is over"));
    }
    let begins = match claims.get("nbf") {
        None => made,
        Some(v) => v.as_f64().unwrap_or(f64::INFINITY).max(made),
    };
    if begins - LEEWAY > wanted.now {
        return Err(Wrong::Time("it is not valid yet"));
    }
    if text("nonce") != Some(wanted.nonce) {
        return Err(Wrong::Nonce);
    }
    let subject = text("sub").filter(|s| !s.is_empty() && s.len() <= 255);
    let mut out = Claims {
        subject: subject
            .ok_or(Wrong::Forged("it does not say who it is"))?
            .to_owned(),
        email: None,
        verified: false,
        name: String::new(),
    };
    out.take_person(claims);
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use ring::rand::SystemRandom;
    use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
    use serde_json::json;

    struct Signer(EcdsaKeyPair);

    impl Signer {
        fn new() -> Signer {
            let (alg, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
            let document = EcdsaKeyPair::generate_pkcs8(alg, &random).unwrap();
            Signer(EcdsaKeyPair::from_pkcs8(alg, document.as_ref(), &random).unwrap())
        }

        fn keys(&self, kid: &str) -> Keys {
            let point = self.0.public_key().as_ref();
            let part = |r: std::ops::Range<usize>| URL_SAFE_NO_PAD.encode(&point[r]);
            let set = json!({ "keys": [
                { "kty": "oct", "k": "AAAA" },
                { "kty": "EC", "crv": "P-256", "kid": kid, "x": part(1..33), "y": part(33..65) },
            ] });
            Keys::read(set.to_string().as_bytes()).unwrap()
        }

        fn sign(&self, header: &Value, claims: &Value) -> String {
            let part = |v: &Value| URL_SAFE_NO_PAD.encode(v.to_string());
            let message = format!("{}.{}", part(header), part(claims));
            let signature = self.0.sign(&SystemRandom::new(), message.as_bytes()).unwrap();
            format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
        }
    }

    const WANTED: Wanted<'_> = Wanted {
        issuer: "https://id.example",
        client_id: "vedette",
        nonce: "n",
        now: 1000.0,
    };

    fn claims() -> Value {
        json!({
            "iss": "https://id.example", "aud": "vedette", "sub": "7", "exp": 1010, "iat": 990, "nonce": "n",
            "email": "Ann@Example.com", "email_verified": true, "name": "Ann",
        })
    }

    #[test]
    fn a_good_token_says_who_it_is() {
        let signer = Signer::new();
        let header = json!({ "alg": "ES256", "kid": "a" });
        let said = check(&signer.sign(&header, &claims()), &signer.keys("a"), &WANTED).unwrap();
        assert_eq!(
            (said.subject.as_str(), said.email.as_deref(), said.verified),
            ("7", Some("ann@example.com"), true)
        );
    }

    #[test]
    fn every_claim_counts() {
        let signer = Signer::new();
        let header = json!({ "alg": "ES256", "kid": "a" });
        for (name, value, good) in [
            ("iss", json!("https://id.example/"), false),
            ("aud", json!("other"), false),
            ("aud", json!(["vedette"]), true),
            ("aud", json!(["vedette", "other"]), false),
            ("azp", json!("other"), false),
            ("azp", json!("vedette"), true),
            ("exp", json!(939), false),
            ("exp", json!(941), true),
            ("exp", json!("9999"), false),
            ("exp", Value::Null, false),
            ("iat", json!(1061), false),
            ("iat", json!(1059), true),
            ("iat", Value::Null, false),
            ("nbf", json!(1061), false),
            ("nbf", json!("0"), false),
            ("nonce", json!("m"), false),
            ("nonce", Value::Null, false),
            ("sub", json!(""), false),
            ("sub", json!(7), false),
        ] {
            let mut all = claims();
            all[name] = value.clone();
            let done = check(&signer.sign(&header, &all), &signer.keys("a"), &WANTED);
            assert_eq!(done.is_ok(), good, "{name}={value}: {done:?}");
        }
        for (value, edov, good) in [
            (json!(true), Value::Null, true),
            (json!("true"), Value::Null, true),
            (json!(false), json!(true), false),
            (json!("yes"), Value::Null, false),
            (json!(2), Value::Null, false),
            (Value::Null, json!(true), false),
        ] {
            let mut all = claims();
            all["email_verified"] = value;
            all["xms_edov"] = edov;
            let done = check(&signer.sign(&header, &all), &signer.keys("a"), &WANTED).unwrap();
            assert_eq!(done.verified, good, "{all}");
        }
        let mut entra = claims();
        entra.as_object_mut().unwrap().remove("email_verified");
        for (edov, good) in [(json!(true), true), (json!("1"), true), (json!(false), false)] {
            entra["xms_edov"] = edov;
            let done = check(&signer.sign(&header, &entra), &signer.keys("a"), &WANTED).unwrap();
            assert_eq!(done.verified, good, "{entra}");
        }
    }

    #[test]
    fn only_the_provider_signs() {
        let (signer, other) = (Signer::new(), Signer::new());
        let keys = signer.keys("a");
        let by = |signer: &Signer, header: Value| check(&signer.sign(&header, &claims()), &keys, &WANTED);
        assert!(matches!(
            by(&other, json!({ "alg": "ES256", "kid": "a" })),
            Err(Wrong::Forged(_))
        ));
        assert_eq!(by(&other, json!({ "alg": "ES256" })), Err(Wrong::UnknownKey));
        assert_eq!(
            by(&other, json!({ "alg": "ES256", "kid": "b" })),
            Err(Wrong::UnknownKey)
        );
        for alg in ["none", "HS256", "RS256", "ES384", ""] {
            let done = by(&signer, json!({ "alg": alg, "kid": "a" }));
            assert!(matches!(done, Err(Wrong::Forged(_))), "{alg}: {done:?}");
        }
        let good = signer.sign(&json!({ "alg": "ES256", "kid": "a" }), &claims());
        let parts: Vec<&str> = good.split('.').collect();
        for bad in [
            String::new(),
            "a.b".into(),
            format!("{}.{}.", parts[0], parts[1]),
            format!("{good}.x"),
            good.replace('.', ".x"),
        ] {
            assert!(check(&bad, &keys, &WANTED).is_err(), "{bad}");
        }
    }
}
