//! Passkeys (WebAuthn level 3): what the browser is asked, and whether its answer is right. All are discoverable
//! and ask for the user's finger, face or PIN, so that one of them is a whole sign-in.

use std::net::IpAddr;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD as BASE64;
use serde_json::Value;
use storage::relational::accounts::Passkey;
use webauthn_rp::bin::{Decode as _, Encode as _};
use webauthn_rp::request::auth::AuthenticationVerificationOptions;
use webauthn_rp::request::register::{
    CredProtect, Nickname, PublicKeyCredentialCreationOptions, PublicKeyCredentialUserEntity,
    RegistrationVerificationOptions, UserHandle64, Username,
};
use webauthn_rp::request::{AsciiDomain, PublicKeyCredentialDescriptor, RpId};
use webauthn_rp::response::register::{CompressedPubKey, DynamicState, StaticState};
use webauthn_rp::response::{AuthTransports, CredentialId};
use webauthn_rp::{
    AuthenticatedCredential, DiscoverableAuthentication64, DiscoverableAuthenticationServerState,
    DiscoverableCredentialRequestOptions, Registration, RegistrationServerState,
};

/// For whom keys are: the host of the installation's address.
pub struct Party {
    id: RpId,
    origin: String,
}

/// What a browser is asked, and what is kept until it answers.
pub struct Begun {
    /// To hand to `navigator.credentials`, in its JSON form.
    pub options: Value,
    /// To keep.
    pub state: String,
}

type Reason = String;

fn said(e: impl std::fmt::Debug) -> Reason {
    format!("{e:?}")
}

impl Party {
    /// The party of an address; browsers know keys by name alone, and only where nobody listens.
    ///
    /// # Errors
    /// Why keys cannot be used under this address.
    pub fn of(url: &str) -> Result<Party, Reason> {
        let (scheme, rest) = url.split_once("://").ok_or("the address has no scheme")?;
        let authority = rest.split('/').next().unwrap_or("");
        let host = match authority.rsplit_once(':') {
            Some((host, port)) if port.bytes().all(|b| b.is_ascii_digit()) => host,
            _ => authority,
        };
        if host.starts_with('[') || host.parse::<IpAddr>().is_ok() {
            return Err(format!(
                "browsers keep passkeys for names, not for addresses such as {host}"
            ));
        }
        let local = host == "localhost" || host.ends_with(".localhost");
        if scheme != "https" && !local {
            return Err("browsers keep passkeys only for pages that come over https".into());
        }
        let domain = AsciiDomain::try_from(host.to_owned()).map_err(said)?;
        Ok(Party {
            id: RpId::Domain(domain),
            origin: format!("{scheme}://{authority}"),
        })
    }

    /// Asks for a new key of a user, who has some already.
    ///
    /// # Errors
    /// What the library says.
    pub fn begin_making(&self, email: &str, name: &str, own: &[Passkey]) -> Result<Begun, Reason> {
        let handle = match own.first() {
            Some(key) => handle(&key.handle)?,
            None => UserHandle64::new(),
        };
        let known = own.iter().filter_map(|key| {
            Some(PublicKeyCredentialDescriptor {
                id: CredentialId::try_from(BASE64.decode(&key.credential).ok()?).ok()?,
                transports: AuthTransports::ALL,
            })
        });
        let user = PublicKeyCredentialUserEntity {
            name: Username::try_from(email)
                .or_else(|_| Username::try_from("user"))
                .map_err(said)?,
            id: &handle,
            display_name: Nickname::try_from(name).ok(),
        };
        let mut asked = PublicKeyCredentialCreationOptions::passkey(&self.id, user, known.collect());
        // Many authenticators do not know the extension; that the user is verified is asked for besides.
        asked.extensions.cred_protect = CredProtect::None;
        let (server, client) = asked.start_ceremony().map_err(said)?;
        Ok(Begun {
            options: serde_json::to_value(&client).map_err(said)?,
            state: BASE64.encode(server.encode().map_err(said)?),
        })
    }

    /// A new key from what the browser answered (`PublicKeyCredential.toJSON()`), without number, user and name.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub fn finish_making(&self, state: &str, answer: &Value) -> Result<Passkey, Reason> {
        let state = BASE64.decode(state).map_err(said)?;
        let state = RegistrationServerState::<64>::decode(state.as_slice()).map_err(said)?;
        let bytes = serde_json::to_vec(answer).map_err(said)?;
        let answer = Registration::from_json_relaxed(&bytes).map_err(said)?;
        let options = RegistrationVerificationOptions::<&str, &str> {
            allowed_origins: &[&self.origin],
            ..RegistrationVerificationOptions::default()
        };
        let made = state.verify(&self.id, &answer, &options).map_err(said)?;
        Ok(Passkey {
            id: 0,
            user_id: 0,
            handle: BASE64.encode(made.user_id().encode().map_err(said)?),
            credential: BASE64.encode(made.id().inner()),
            static_state: BASE64.encode(made.static_state().encode().map_err(said)?),
            dynamic_state: BASE64.encode(made.dynamic_state().encode().map_err(said)?),
            name: String::new(),
            date_added: 0,
            last_used: None,
        })
    }

    /// Asks for any key of this party.
    ///
    /// # Errors
    /// What the library says.
    pub fn begin_using(&self) -> Result<Begun, Reason> {
        let asked = DiscoverableCredentialRequestOptions::passkey(&self.id);
        let (server, client) = asked.start_ceremony().map_err(said)?;
        Ok(Begun {
            options: serde_json::to_value(&client).map_err(said)?,
            state: BASE64.encode(server.encode().map_err(said)?),
        })
    }

    /// What of the key changed, if the browser's answer is right.
    ///
    /// # Errors
    /// What is wrong with the answer.
    pub fn finish_using(&self, state: &str, used: &Used, key: &Passkey) -> Result<String, Reason> {
        let state = BASE64.decode(state).map_err(said)?;
        let state = DiscoverableAuthenticationServerState::decode(state.as_slice()).map_err(said)?;
        let credential = BASE64.decode(&key.credential).map_err(said)?;
        let handle = handle(&key.handle)?;
        let fixed = BASE64.decode(&key.static_state).map_err(said)?;
        let fixed =
            StaticState::<CompressedPubKey<[u8; 32], [u8; 32], [u8; 48], Vec<u8>>>::decode(fixed.as_slice())
                .map_err(said)?;
        let moving = BASE64.decode(&key.dynamic_state).map_err(said)?;
        let moving = DynamicState::decode(moving.as_slice().try_into().map_err(said)?).map_err(said)?;
        let id = CredentialId::try_from(credential.as_slice()).map_err(said)?;
        let mut kept = AuthenticatedCredential::new(id, &handle, fixed, moving).map_err(said)?;
        let options = AuthenticationVerificationOptions::<&str, &str> {
            allowed_origins: &[&self.origin],
            ..AuthenticationVerificationOptions::default()
        };
        state
            .verify(&self.id, &used.0, &mut kept, &options)
            .map_err(said)?;
        Ok(BASE64.encode(kept.dynamic_state().encode().map_err(said)?))
    }
}

/// A browser's answer, not yet checked.
pub struct Used(DiscoverableAuthentication64);

impl Used {
    /// Reads an answer (`PublicKeyCredential.toJSON()`).
    ///
    /// # Errors
    /// What is wrong with its form.
    pub fn read(answer: &Value) -> Result<Used, Reason> {
        let bytes = serde_json::to_vec(answer).map_err(said)?;
        DiscoverableAuthentication64::from_json_relaxed(&bytes)
            .map(Used)
            .map_err(said)
    }

    /// Which key it says it is.
    pub fn credential(&self) -> String {
        BASE64.encode(self.0.raw_id().inner())
    }
}

fn handle(text: &str) -> Result<UserHandle64, Reason> {
    let bytes = BASE64.decode(text).map_err(said)?;
    UserHandle64::decode(bytes.as_slice().try_into().map_err(said)?).map_err(said)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_for_names_over_https() {
        for good in [
            "https://errors.example",
            "https://errors.example:8443/x",
            "http://localhost:9000",
        ] {
            assert!(Party::of(good).is_ok(), "{good}");
        }
        for bad in [
            "http://errors.example",
            "https://10.0.0.7",
            "https://[::1]:9000",
            "http://127.0.0.1:9000",
        ] {
            assert!(Party::of(bad).is_err(), "{bad}");
        }
        assert_eq!(
            Party::of("https://errors.example:8443/x").unwrap().origin,
            "https://errors.example:8443"
        );
    }

    #[test]
    fn a_browser_is_asked_for_its_user() {
        let party = Party::of("https://errors.example").unwrap();
        let begun = party.begin_making("ann@example.com", "Ann", &[]).unwrap();
        let text = begun.options.to_string();
        assert!(
            text.contains("ann@example.com") && text.contains("errors.example"),
            "{text}"
        );
        assert!(party.finish_making(&begun.state, &serde_json::json!({})).is_err());
        let begun = party.begin_using().unwrap();
        assert!(
            begun.options.to_string().contains("required"),
            "{}",
            begun.options
        );
    }
}
