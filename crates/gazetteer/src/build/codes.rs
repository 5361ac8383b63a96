//! Codes of first-level areas that people write after a city.

use crate::fold::fold;

/// Countries whose areas GeoNames numbers although everybody writes their letters.
const LETTERS: [(&str, &[(&str, &str)]); 3] = [
    (
        "CA",
        &[
            ("alberta", "AB"),
            ("british columbia", "BC"),
            ("manitoba", "MB"),
            ("new brunswick", "NB"),
            ("newfoundland and labrador", "NL"),
            ("nova scotia", "NS"),
            ("northwest territories", "NT"),
            ("nunavut", "NU"),
            ("ontario", "ON"),
            ("prince edward island", "PE"),
            ("quebec", "QC"),
            ("saskatchewan", "SK"),
            ("yukon", "YT"),
        ],
    ),
    (
        "AU",
        &[
            ("australian capital territory", "ACT"),
            ("new south wales", "NSW"),
            ("northern territory", "NT"),
            ("queensland", "QLD"),
            ("south australia", "SA"),
            ("tasmania", "TAS"),
            ("victoria", "VIC"),
            ("western australia", "WA"),
        ],
    ),
    (
        "BR",
        &[
            ("acre", "AC"),
            ("alagoas", "AL"),
            ("amapa", "AP"),
            ("amazonas", "AM"),
            ("bahia", "BA"),
            ("ceara", "CE"),
            ("federal district", "DF"),
            ("espirito santo", "ES"),
            ("goias", "GO"),
            ("maranhao", "MA"),
            ("mato grosso", "MT"),
            ("mato grosso do sul", "MS"),
            ("minas gerais", "MG"),
            ("para", "PA"),
            ("paraiba", "PB"),
            ("parana", "PR"),
            ("pernambuco", "PE"),
            ("piaui", "PI"),
            ("rio de janeiro", "RJ"),
            ("rio grande do norte", "RN"),
            ("rio grande do sul", "RS"),
            ("rondonia", "RO"),
            ("roraima", "RR"),
            ("santa catarina", "SC"),
            ("sao paulo", "SP"),
            ("sergipe", "SE"),
            ("tocantins", "TO"),
        ],
    ),
];

/// Letters by which an area is written, if any. GeoNames' own code is one where it consists of letters (`TX`, `ENG`).
pub(super) fn of_area(country: [u8; 2], code: &str, name: &str) -> Vec<String> {
    let mut codes = Vec::new();
    if code.bytes().all(|byte| byte.is_ascii_uppercase()) {
        codes.push(code.to_owned());
    }
    let table = LETTERS.iter().find(|(of, _)| of.as_bytes() == country);
    let name = fold(name);
    codes.extend(
        table
            .and_then(|(_, areas)| areas.iter().find(|(of, _)| *of == name))
            .map(|(_, letters)| (*letters).to_owned()),
    );
    codes
}
