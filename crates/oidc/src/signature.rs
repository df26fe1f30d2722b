//! Signatures of tokens, checked by ring, which TLS uses too. Nothing is ever signed here.

use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::signature::{self, Verifier};
use jsonwebtoken::{Algorithm, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature as by;

/// Signatures that are accepted: those with a public key. With a shared secret, whoever knows the
/// client's could make tokens.
pub(crate) const ACCEPTED: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

static RING: CryptoProvider = CryptoProvider {
    signer_factory: no_signer,
    verifier_factory: verifier,
    // Only keys are read from texts, and no texts made of keys.
    key_utils: KeyUtils::new_unimplemented(),
};

/// Makes this the cryptography of tokens in this process.
pub(crate) fn install() {
    // A second time changes nothing, and there is no other.
    let _ = RING.install_default();
}

fn no_signer(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

fn verifier(algorithm: &Algorithm, key: &DecodingKey) -> Result<Box<dyn JwtVerifier>, Error> {
    match ACCEPTED.contains(algorithm) && algorithm.family() == key.family() {
        true => Ok(Box::new(Key { algorithm: *algorithm, key: key.clone() })),
        false => Err(ErrorKind::InvalidAlgorithm.into()),
    }
}

struct Key {
    algorithm: Algorithm,
    key: DecodingKey,
}

impl JwtVerifier for Key {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}

impl Verifier<Vec<u8>> for Key {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), signature::Error> {
        let is_good = match self.key.kind() {
            DecodingKeyKind::RsaModulusExponent { n, e } => {
                let rsa = rsa(self.algorithm).ok_or_else(signature::Error::new)?;
                // Numbers without zeros in front are what ring takes; some providers write one.
                let key = by::RsaPublicKeyComponents { n: number(n), e: number(e) };
                key.verify(rsa, message, signature)
            }
            DecodingKeyKind::SecretOrDer(point) => {
                let curve = curve(self.algorithm).ok_or_else(signature::Error::new)?;
                by::UnparsedPublicKey::new(curve, point).verify(message, signature)
            }
        };
        is_good.map_err(|_| signature::Error::new())
    }
}

fn number(bytes: &[u8]) -> &[u8] {
    let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
    bytes.get(zeros..).unwrap_or_default()
}

fn rsa(algorithm: Algorithm) -> Option<&'static by::RsaParameters> {
    match algorithm {
        Algorithm::RS256 => Some(&by::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => Some(&by::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => Some(&by::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => Some(&by::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => Some(&by::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => Some(&by::RSA_PSS_2048_8192_SHA512),
        _ => None,
    }
}

fn curve(algorithm: Algorithm) -> Option<&'static dyn by::VerificationAlgorithm> {
    match algorithm {
        Algorithm::ES256 => Some(&by::ECDSA_P256_SHA256_FIXED),
        Algorithm::ES384 => Some(&by::ECDSA_P384_SHA384_FIXED),
        Algorithm::EdDSA => Some(&by::ED25519),
        _ => None,
    }
}
