//! The person who logs in, as PAM's conversation reaches them (pam_conv(3)).

use forebear_door::Terminal;
use pam::constants::{
    PAM_ERROR_MSG, PAM_PROMPT_ECHO_OFF, PAM_PROMPT_ECHO_ON, PAM_TEXT_INFO, PamResultCode,
};
use pam::conv::Conv;
use pam::secret::SecretBytes;

/// The conversation.
pub(crate) struct Conversation<'c>(pub(crate) Conv<'c>);

/// An answer; overwritten when it is dropped.
pub(crate) struct Answer(SecretBytes);

impl AsRef<[u8]> for Answer {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl Conversation<'_> {
    /// Shows a text that says what is wrong.
    pub(crate) fn error(&self, text: &str) -> Result<(), PamResultCode> {
        self.0.send(PAM_ERROR_MSG, text).map(drop)
    }
}

impl Terminal for Conversation<'_> {
    type Error = PamResultCode;
    type Answer = Answer;

    fn ask(&mut self, text: &str, is_echoed: bool) -> Result<Option<Answer>, PamResultCode> {
        let style = if is_echoed { PAM_PROMPT_ECHO_ON } else { PAM_PROMPT_ECHO_OFF };
        Ok(self.0.send(style, text)?.map(Answer))
    }

    fn tell(&mut self, text: &str) -> Result<(), PamResultCode> {
        self.0.send(PAM_TEXT_INFO, text).map(drop)
    }
}
