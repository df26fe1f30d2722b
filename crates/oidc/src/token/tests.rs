//! ID tokens: which one counts, and that no other does. Keys are made here, by ring.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _,
};
use serde_json::{Value, json};

use super::*;

const ISSUER: &str = "https://id.example.com";

fn base64(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A provider's keys, one of each kind.
struct Keys {
    random: SystemRandom,
    p256: EcdsaKeyPair,
    ed25519: Ed25519KeyPair,
}

impl Keys {
    fn new() -> Self {
        let random = SystemRandom::new();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let p256 =
            EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, p256.as_ref(), &random);
        let ed25519 = Ed25519KeyPair::generate_pkcs8(&random).unwrap();
        let ed25519 = Ed25519KeyPair::from_pkcs8(ed25519.as_ref());
        Self { random, p256: p256.unwrap(), ed25519: ed25519.unwrap() }
    }

    /// As the provider publishes them, among others that are not understood.
    fn published(&self) -> Value {
        let point = self.p256.public_key().as_ref();
        json!({"keys": [
            {"kty": "from-the-future", "kid": "x"},
            {"kty": "EC", "crv": "secp256k1", "x": "AA", "y": "AA", "kid": "k1"},
            {"kty": "oct", "k": base64("secret"), "kid": "shared", "alg": "HS256"},
            {"kty": "EC", "crv": "P-256", "x": base64(&point[1..33]), "y": base64(&point[33..]),
                "kid": "p256", "use": "sig"},
            {"kty": "OKP", "crv": "Ed25519", "x": base64(self.ed25519.public_key()),
                "kid": "ed", "use": "sig"},
        ]})
    }

    fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", base64(header.to_string()), base64(claims.to_string()));
        let signature = match header["alg"].as_str() {
            Some("ES256") => {
                let signature = self.p256.sign(&self.random, text.as_bytes()).unwrap();
                signature.as_ref().to_vec()
            }
            Some("EdDSA") => self.ed25519.sign(text.as_bytes()).as_ref().to_vec(),
            _ => vec![],
        };
        format!("{text}.{}", base64(signature))
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn claims() -> Value {
    json!({
        "iss": ISSUER, "aud": "us", "sub": "17", "exp": now() + 300, "iat": now(),
        "email": "ada@example.com",
    })
}

fn header() -> Value {
    json!({"alg": "ES256", "kid": "p256", "typ": "JWT"})
}

fn checked(token: &str, keys: &Value) -> Result<Claims, &'static str> {
    check(token, keys.to_string().as_bytes(), &ISSUER.parse().unwrap(), "us")
}

#[test]
fn a_token_of_the_providers_own_keys_counts() {
    let keys = Keys::new();
    for header in [
        header(),
        json!({"alg": "EdDSA", "kid": "ed"}),
        // Without a name every key is tried.
        json!({"alg": "ES256"}),
        json!({"alg": "EdDSA"}),
    ] {
        let read = checked(&keys.sign(&header, &claims()), &keys.published());
        assert_eq!(read.unwrap()["email"], "ada@example.com", "{header}");
    }
}

#[test]
fn a_token_with_a_claim_that_is_not_right_counts_for_nothing() {
    let keys = Keys::new();
    for (name, value, reason) in [
        ("exp", json!(now() - 120), "expired"),
        ("exp", json!(null), "lacks a claim"),
        ("exp", json!("soon"), "lacks a claim"),
        ("nbf", json!(now() + 120), "not valid yet"),
        ("iss", json!("https://id.example.com/"), "another issuer"),
        ("iss", json!(null), "lacks a claim"),
        ("aud", json!("them"), "another client"),
        ("aud", json!(["them"]), "another client"),
        ("aud", json!(null), "lacks a claim"),
        ("azp", json!("them"), "another client"),
        ("azp", json!(["us"]), "another client"),
        ("sub", json!(null), "lacks a claim"),
    ] {
        let mut claims = claims();
        claims[name] = value;
        let error = checked(&keys.sign(&header(), &claims), &keys.published()).unwrap_err();
        assert!(error.contains(reason), "{claims}: {error}");
    }
    let mut shared = claims();
    (shared["aud"], shared["azp"]) = (json!(["them", "us"]), json!("us"));
    assert!(checked(&keys.sign(&header(), &shared), &keys.published()).is_ok());
}

#[test]
fn a_token_that_nobody_we_know_has_signed_counts_for_nothing() {
    let (keys, others) = (Keys::new(), Keys::new());
    let published = keys.published();
    let foreign = others.sign(&header(), &claims());
    assert!(checked(&foreign, &published).unwrap_err().contains("none of the provider's keys"));
    // Of a known key, with other claims.
    let signed = keys.sign(&header(), &claims());
    let (head, signature) = (signed.split('.').next().unwrap(), signed.rsplit('.').next().unwrap());
    let forged = format!("{head}.{}.{signature}", base64(claims().to_string().replace("17", "18")));
    assert!(checked(&forged, &published).unwrap_err().contains("none of the provider's keys"));
    // One key's signature under another's name.
    let misnamed = keys.sign(&json!({"alg": "ES256", "kid": "ed"}), &claims());
    assert!(checked(&misnamed, &published).is_err());
    for kid in ["unknown", "x", "k1"] {
        let unknown = keys.sign(&json!({"alg": "ES256", "kid": kid}), &claims());
        assert!(checked(&unknown, &published).is_err(), "{kid}");
    }
}

#[test]
fn a_token_without_a_public_keys_signature_counts_for_nothing() {
    let keys = Keys::new();
    let published = keys.published();
    for algorithm in ["none", "HS256", "HS512", "es256", ""] {
        for kid in ["p256", "shared"] {
            let header = json!({"alg": algorithm, "kid": kid});
            assert!(checked(&keys.sign(&header, &claims()), &published).is_err(), "{algorithm}");
        }
    }
    let demanding = json!({"alg": "ES256", "kid": "p256", "crit": ["exp"]});
    assert!(checked(&keys.sign(&demanding, &claims()), &published).is_err());
}

#[test]
fn what_is_no_token_or_no_key_set_is_refused() {
    let keys = Keys::new();
    let good = keys.sign(&header(), &claims());
    for token in ["", ".", "..", "...", "a.b.c", &good[..good.len() - 1], &"x".repeat(LONGEST + 1)]
    {
        assert!(checked(token, &keys.published()).is_err(), "{token:?}");
    }
    for set in [json!([]), json!({}), json!({"keys": []}), json!({"keys": [7]})] {
        assert!(checked(&good, &set).is_err(), "{set}");
    }
}

#[test]
fn a_key_that_is_for_encryption_signs_nothing() {
    let keys = Keys::new();
    let mut published = keys.published();
    published["keys"][3]["use"] = json!("enc");
    assert!(checked(&keys.sign(&header(), &claims()), &published).is_err());
}
