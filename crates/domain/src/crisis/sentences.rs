//! Sentences at which lines are shown, and sentences at which none are.

use super::tests::kinds;
use super::*;

#[test]
fn who_writes_of_ending_their_life_is_shown_where_help_is() {
    for text in [
        "Saya ingin bunuh diri",
        "mau mati saja rasanya",
        "capek, pengen matiii aja",
        "Lebih baik aku mati daripada begini terus",
        "aku gak mau hidup lagi",
        "Ga ingin hidup lagi.",
        "kadang saya menyakiti diri sendiri",
        "BUNUH-DIRI",
        "sudah tidak ada gunanya hidup",
        "sering kepikiran mengakhiri hidupku",
        "I want to die",
        "I keep thinking about suicide.",
        "everyone would be better off without me",
        "I don’t want to live any more",
        "i wanna kill   myself",
        "Sometimes I am hurting myself",
        "súicidal thoughts",
        "There's no reason to live",
    ] {
        assert_eq!(kinds(text), [Crisis::SelfHarm], "{text}");
    }
}

#[test]
fn who_is_hurt_or_needs_help_this_minute_is_shown_where_it_is() {
    for text in [
        "saya korban KDRT",
        "sering dipukul suami kalau gula darah saya naik",
        "my husband beats me up",
        "he hits me when I test my sugar",
        "I am afraid of my partner",
        "dia mengancam membunuh saya",
    ] {
        assert_eq!(kinds(text), [Crisis::Abuse], "{text}");
    }
    for text in [
        "tiba-tiba nyeri dada hebat",
        "bapak saya tidak sadarkan diri",
        "gak bisa napas",
        "tolong panggil ambulans",
        "dia kejang-kejang",
        "I can't breathe",
        "she won't wake up",
        "crushing chest pain since this morning",
        "I took too much insulin",
        "he is vomiting blood",
    ] {
        assert_eq!(kinds(text), [Crisis::Emergency], "{text}");
    }
}

#[test]
fn what_is_said_every_day_shows_nothing() {
    for text in [
        "",
        "mati lampu sejak tadi pagi",
        "lampunya mati",
        "killing time in the waiting room",
        "HP mati, baru bisa balas",
        "I cut myself while cooking and it healed slowly",
        "I would die for a piece of cake",
        "dying to see you all",
        "my battery died",
        "sesak napas saya sudah berkurang",
        "I had chest pain two years ago",
        "saya tidak sadar bahwa gula darah naik",
        "percaya diri dan jaga diri",
        "dia tidak mau hidup sendiri",
        "this news hit me hard",
        "dont know, beats me",
        "membunuh waktu di ruang tunggu",
        "deadline besok",
        "the pharmacy is 5 kms away",
        "hidup sehat dengan diabetes",
        "Suci dan Diri",
        "mending mati lampu daripada panas",
        "kaki saya seperti ingin mati rasa",
        "the app is unresponsive",
        "then it hits me",
        "HbA1c saya 6 koma 5",
        "HbA1c saya tujuh koma lima",
        "I want to take my life back",
        "tidak mau hidup susah",
        "takut gula darah naik lagi",
        "jalan2 pagi tiap hari",
        "he said that the news hit him",
        "dont want to be late",
    ] {
        assert_eq!(crisis_words(text), [], "{text}");
    }
}

#[test]
fn the_commonest_ways_of_saying_it_are_found() {
    let none: [(Crisis, &[&str]); 3] =
        [(Crisis::Abuse, ABUSE), (Crisis::SelfHarm, SELF_HARM), (Crisis::Emergency, EMERGENCY)];
    for (kind, sentences) in none {
        for text in sentences {
            assert!(kinds(text).contains(&kind), "{kind:?}: {text}");
        }
    }
}

const ABUSE: &[&str] = &[
    "saya dipukul oleh suami",
    "saya dipukul sama suami",
    "suami saya suka mukul saya",
    "suami mukulin aku",
    "suami pukul anak saya",
    "takut dengan suami",
    "takut suami",
    "diancam mau dibunuh",
    "dicabuli",
    "dipaksa berhubungan badan",
    "my husband hit me",
    "he hit me last night",
    "my husband beats me",
    "he punched me",
    "my partner hurts me",
    "my husband is abusive",
    "I was molested",
    "scared of my dad",
];

const SELF_HARM: &[&str] = &[
    "my son wants to die",
    "she wants to kill herself",
    "he wants to kill himself",
    "take my life",
    "end it all",
    "not worth living",
    "I hurt myself on purpose",
    "slit my wrists",
    "I don't want to be here any more",
    "I don't want to be here anymore",
    "I don't want to exist",
    "I wish I was never born",
    "feel like dying",
    "kill my self",
    "i wanna kms",
    "potong urat nadi",
    "sayat nadi",
    "lompat dari jembatan",
    "lompat dari gedung",
    "gak pengen hidup",
    "tidak ingin hidup",
    "gak kuat hidup",
    "rasanya mau mati",
    "ingin mengakhiri semuanya",
    "ingin meninggal",
    "nyakitin diri",
    "pgn mati",
    "bunuhdiri",
    "minum obat banyak",
    "ngga ada gunanya hidup",
    "gk mau hidup lagi",
    "ndak ingin hidup",
];

const EMERGENCY: &[&str] = &[
    "trouble breathing",
    "difficulty breathing",
    "can't breath",
    "he isn't breathing",
    "he passed out",
    "she fainted",
    "dad collapsed",
    "he is convulsing",
    "my baby is choking",
    "pain in my chest",
    "coughing blood",
    "swallowed poison",
    "diabetic coma",
    "anak saya kejang",
    "kejang2",
    "hilang kesadaran",
    "tidak sadar diri",
    "tidak bisa dibangunkan",
    "bapak saya koma",
    "tersedak",
    "dada saya sakit sekali",
    "terkena serangan jantung",
    "perlu ambulans",
    "ngga sadarkan diri",
    "g bisa napas",
    "tdk bisa bernafas",
];
