//! Password hashes: argon2id (RFC 9106) in the PHC string form, which says how each was made.
//!
//! This is the work itself, on the calling thread. Requests go through [`crate::hashing::HashingPool`].

use std::fmt;
use std::str::FromStr;

use argon2::{Algorithm, Argon2, Block, Params, Version};
use aws_lc_rs::constant_time::verify_slices_are_equal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use domain::password::Password;
use domain::{Error, Random, Result};
use zeroize::{Zeroize, Zeroizing};

const SALT_LENGTH: usize = 16;
const OUTPUT_LENGTH: usize = 32;
const PREFIX: &str = "$argon2id$v=19$";
/// What a stored hash may cost us to verify. Hashes come from our own database, but a damaged one must not
/// take the machine down.
const MOST_MEMORY_KIB: u32 = 256 * 1024;
const MOST_PASSES: u32 = 32;
const MOST_LANES: u32 = 16;

/// What a hash costs: memory, passes over it, lanes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HashPolicy {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl HashPolicy {
    /// The least that is accepted (OWASP's first choice): 19 MiB, two passes, one lane.
    pub const MINIMUM: Self = Self { memory_kib: 19_456, passes: 2, lanes: 1 };

    /// Fails with `Internal` below [`HashPolicy::MINIMUM`] and above 256 MiB, 32 passes or 16 lanes.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Result<Self> {
        let policy = Self { memory_kib, passes, lanes };
        if policy.is_bearable() && policy.covers(Self::MINIMUM) {
            Ok(policy)
        } else {
            Err(Error::internal(
                "password hashing needs 19456 to 262144 KiB, 2 to 32 passes and 1 to 16 lanes",
            ))
        }
    }

    fn is_bearable(self) -> bool {
        (1..=MOST_LANES).contains(&self.lanes)
            && (1..=MOST_PASSES).contains(&self.passes)
            && (8 * self.lanes..=MOST_MEMORY_KIB).contains(&self.memory_kib)
    }

    fn covers(self, other: Self) -> bool {
        self.memory_kib >= other.memory_kib && self.passes >= other.passes && self.lanes >= other.lanes
    }

    fn argon2(self, output_length: usize) -> Result<Argon2<'static>> {
        Params::new(self.memory_kib, self.passes, self.lanes, Some(output_length))
            .map(|params| Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
            .map_err(Error::internal)
    }
}

/// A stored hash: parameters, salt and output.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash {
    policy: HashPolicy,
    salt: Vec<u8>,
    output: Vec<u8>,
}

impl PasswordHash {
    /// The PHC string: what is sealed and stored.
    pub fn to_phc(&self) -> Zeroizing<String> {
        let HashPolicy { memory_kib, passes, lanes } = self.policy;
        let (salt, output) = (STANDARD_NO_PAD.encode(&self.salt), STANDARD_NO_PAD.encode(&self.output));
        Zeroizing::new(format!("{PREFIX}m={memory_kib},t={passes},p={lanes}${salt}${output}"))
    }

    /// Whether it is weaker than the policy asks, so that the next good login should replace it.
    pub fn needs_rehash(&self, policy: HashPolicy) -> bool {
        !self.policy.covers(policy) || self.salt.len() < SALT_LENGTH || self.output.len() < OUTPUT_LENGTH
    }

    /// A hash that no password has, for addresses without an account: verifying it costs the same.
    pub fn dummy(policy: HashPolicy) -> Self {
        Self { policy, salt: vec![0; SALT_LENGTH], output: vec![0; OUTPUT_LENGTH] }
    }
}

impl FromStr for PasswordHash {
    type Err = Error;

    /// Reads a PHC string of argon2id, version 19, with the parameters `m`, `t`, `p` in this order. Fails
    /// with `Internal`: such strings come from the database.
    fn from_str(phc: &str) -> Result<Self> {
        parse(phc).ok_or_else(|| Error::internal("a stored password hash is damaged or of another kind"))
    }
}

fn parse(phc: &str) -> Option<PasswordHash> {
    let mut parts = phc.strip_prefix(PREFIX)?.split('$');
    let (parameters, salt, output) = (parts.next()?, parts.next()?, parts.next()?);
    let mut values = ["m=", "t=", "p="].into_iter().zip(parameters.split(','));
    let mut value = || -> Option<u32> {
        let (name, part) = values.next()?;
        let digits = part.strip_prefix(name)?;
        // `parse` would take a sign, and one number must have one spelling.
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !digits.starts_with('0');
        if is_plain { digits.parse().ok() } else { None }
    };
    let policy = HashPolicy { memory_kib: value()?, passes: value()?, lanes: value()? };
    let bounded = |text: &str, least: usize| {
        let bytes = if text.len() <= 88 { STANDARD_NO_PAD.decode(text).ok()? } else { return None };
        (least..=64).contains(&bytes.len()).then_some(bytes)
    };
    let hash = PasswordHash { policy, salt: bounded(salt, 8)?, output: bounded(output, 16)? };
    let is_whole = parts.next().is_none() && parameters.split(',').count() == 3;
    (is_whole && policy.is_bearable()).then_some(hash)
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("PasswordHash").field("policy", &self.policy).finish_non_exhaustive()
    }
}

/// Hashes one password after the other in the same memory: asking the system for 19 MiB each time would
/// cost a tenth of the work again.
///
/// The memory is wiped when it is given back, not between two hashes: each overwrites all of it.
pub struct Hasher {
    blocks: Vec<Block>,
    usual: usize,
}

impl Hasher {
    /// For hashes of `policy`; takes their memory at the first.
    pub fn new(policy: HashPolicy) -> Result<Self> {
        let usual = policy.argon2(OUTPUT_LENGTH)?.params().block_count();
        Ok(Self { blocks: Vec::new(), usual })
    }

    /// Gives the memory back, wiped, until the next hash.
    pub fn rest(&mut self) {
        self.blocks.iter_mut().for_each(Zeroize::zeroize);
        self.blocks = Vec::new();
    }

    /// Hashes a new password under `policy` with a fresh salt.
    pub fn hash(&mut self, password: &Password, policy: HashPolicy, random: &Random) -> Result<PasswordHash> {
        let salt = random.bytes::<SALT_LENGTH>().to_vec();
        let mut output = vec![0; OUTPUT_LENGTH];
        self.run(password, policy, &salt, &mut output)?;
        Ok(PasswordHash { policy, salt, output })
    }

    /// Whether this password has this hash; compared in constant time.
    pub fn verify(&mut self, password: &Password, hash: &PasswordHash) -> Result<bool> {
        let mut output = Zeroizing::new(vec![0; hash.output.len()]);
        self.run(password, hash.policy, &hash.salt, &mut output)?;
        Ok(verify_slices_are_equal(&output, &hash.output).is_ok())
    }

    fn run(&mut self, password: &Password, policy: HashPolicy, salt: &[u8], output: &mut [u8]) -> Result<()> {
        let argon2 = policy.argon2(output.len())?;
        let needed = argon2.params().block_count();
        if self.blocks.len() < needed {
            self.blocks.resize(needed, Block::new());
        }
        let done = argon2
            .hash_password_into_with_memory(password.expose().as_bytes(), salt, output, &mut self.blocks)
            .map_err(Error::internal);
        // One costly hash must not hold its memory for ever.
        if self.blocks.len() > self.usual {
            self.blocks.iter_mut().skip(self.usual).for_each(Zeroize::zeroize);
            self.blocks.truncate(self.usual);
            self.blocks.shrink_to_fit();
        }
        done
    }
}

impl Drop for Hasher {
    fn drop(&mut self) {
        self.rest();
    }
}

impl fmt::Debug for Hasher {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Hasher({} KiB)", self.blocks.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::random;

    fn password(text: &str) -> Password {
        Password::presented(text).unwrap()
    }

    #[test]
    fn a_hash_verifies_its_password_alone_and_survives_storage() -> Result<()> {
        let policy = HashPolicy::MINIMUM;
        let mut hasher = Hasher::new(policy)?;
        let random = random(1);
        let hash = hasher.hash(&password("correct horse battery"), policy, &random)?;
        let phc = hash.to_phc();
        assert!(phc.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        let stored: PasswordHash = phc.parse()?;
        assert_eq!(stored, hash);
        assert!(hasher.verify(&password("correct horse battery"), &stored)?);
        assert!(!hasher.verify(&password("correct horse batterz"), &stored)?);
        assert!(!hasher.verify(&password(""), &PasswordHash::dummy(policy))?);
        let again = hasher.hash(&password("correct horse battery"), policy, &random)?;
        assert_ne!(again, hash, "the salt is new each time");
        Ok(())
    }

    /// Passwords that differ only behind the 72nd byte are different: nothing is cut off.
    #[test]
    fn all_of_a_long_password_counts() -> Result<()> {
        let mut hasher = Hasher::new(HashPolicy::MINIMUM)?;
        let long = "x".repeat(255);
        let hash = hasher.hash(&password(&format!("{long}a")), HashPolicy::MINIMUM, &random(1))?;
        assert!(!hasher.verify(&password(&format!("{long}b")), &hash)?);
        Ok(())
    }

    /// The vector of the reference implementation's test suite: `password`, `somesalt`, 64 MiB, two passes.
    #[test]
    fn the_reference_vector_verifies_and_the_memory_is_given_back() -> Result<()> {
        let mut hasher = Hasher::new(HashPolicy::MINIMUM)?;
        let phc = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc";
        assert!(hasher.verify(&password("password"), &phc.parse()?)?);
        assert_eq!(hasher.blocks.len(), 19_456);
        Ok(())
    }

    #[test]
    fn a_weaker_hash_is_replaced_and_a_stronger_one_stays() -> Result<()> {
        let dummy = |memory, passes| HashPolicy::new(memory, passes, 1).map(PasswordHash::dummy);
        let policy = HashPolicy::new(32_768, 3, 1)?;
        assert!(dummy(19_456, 2)?.needs_rehash(policy));
        assert!(dummy(65_536, 2)?.needs_rehash(policy));
        assert!(!dummy(32_768, 3)?.needs_rehash(policy));
        assert!(!dummy(65_536, 4)?.needs_rehash(policy));
        assert!(HashPolicy::new(19_455, 2, 1).is_err());
        assert!(HashPolicy::new(19_456, 1, 1).is_err());
        assert!(HashPolicy::new(u32::MAX, 2, 1).is_err());
        Ok(())
    }

    #[test]
    fn damaged_strings_are_refused() {
        let good = PasswordHash::dummy(HashPolicy::MINIMUM).to_phc();
        assert!(good.parse::<PasswordHash>().is_ok());
        for bad in [
            String::new(),
            good.replace("argon2id", "argon2i"),
            good.replace("v=19", "v=16"),
            good.replace("m=19456", "m=4000000000"),
            good.replace("m=19456", "m=+19456"),
            good.replace("m=19456", "m=019456"),
            good.replace("t=2", "t=0"),
            good.replace("p=1", "p=1,x=2"),
            good.replace("t=2,p=1", "p=1,t=2"),
            good.replace(",p=1", ""),
            format!("{}$", *good),
            format!("{}=", *good),
            good[..good.len() - 23].to_owned(),
            format!("{}{}", *good, "A".repeat(1000)),
            String::from("$2b$10$abcdefghijklmnopqrstuv"),
        ] {
            assert!(bad.parse::<PasswordHash>().is_err(), "{bad}");
        }
    }
}
