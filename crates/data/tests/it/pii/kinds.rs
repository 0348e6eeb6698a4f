//! Each kind: what is one, and what only looks like one.

use expect_test::{Expect, expect};

use super::{detector, lines};

fn check(text: &str, findings: Expect) {
    findings.assert_eq(&lines(&detector(), text.trim_start()));
}

#[test]
fn email() {
    check(
        "
write to anna.lee+x@mail.example.org, please
<o'hara@example.com>
müller@bücher.example
邮箱foo@bar.com是我的
user@xn--bcher-kva.example.
logo@2x.png
a@b
pkg@1.2.3
git@github.com:bartizan/bartizan.git
..@example.com
@example.com and me@
first@second@example.com
mailto:me@example.com?subject=x
",
        expect![[r#"
            email 95 [anna.lee+x@mail.example.org] valid
            email 95 [o'hara@example.com] valid
            email 95 [müller@bücher.example] valid
            email 95 [foo@bar.com] valid
            email 95 [user@xn--bcher-kva.example] valid
            -
            -
            -
            -
            -
            -
            email 95 [second@example.com] valid
            email 95 [me@example.com] valid
        "#]],
    );
}

#[test]
fn phone() {
    check(
        "
+1 212-555-0123
+1 (212) 555-0123 ext. 4
call (212) 555-0123
212-555-0123
phone: 2125550123
2125550123
+49 (0)30 901820
+44 20 7946 0958
+33 6 12 34 56 78
+999 123 456 789
+1 012-555-0123
tel. 030 12345678
0612345678 mobile
06 12 34 56 78
order 212-555-0123
1.212.555.0123
0049 30 901820, phone
+91 98765 43210
",
        expect![[r#"
            phone 70 [+1 212-555-0123] typical form, US
            phone 70 [+1 (212) 555-0123] typical form, US
            phone 95 [(212) 555-0123] context, call
            phone 70 [212-555-0123] typical form
            phone 95 [2125550123] context, phone
            -
            phone 70 [+49 (0)30 901820] typical form, DE
            phone 70 [+44 20 7946 0958] typical form, GB
            phone 70 [+33 6 12 34 56 78] typical form, FR
            -
            -
            phone 95 [030 12345678] context, tel
            phone 95 [0612345678] context, mobile
            phone 70 [06 12 34 56 78] typical form
            -
            phone 70 [1.212.555.0123] typical form
            phone 95 [0049 30 901820] context, phone, DE
            phone 70 [+91 98765 43210] typical form, IN
        "#]],
    );
}

#[test]
fn card() {
    check(
        "
4111111111111111
4111 1111 1111 1111
4111-1111-1111-1111
5555555555554444
2223003122003222
378282246310005
3782 822463 10005
30569309025904
6011111111111117
3530111333300000
6759649826438453
4222222222222
4111111111111112
4111 1111-1111 1111
1234567812345670
tracking 4111111111111111
card 4111111111111111
x4111111111111111
4111111111111111.5
",
        expect![[r#"
            card 80 [4111111111111111] valid
            card 95 [4111 1111 1111 1111] typical form
            card 95 [4111-1111-1111-1111] typical form
            card 80 [5555555555554444] valid
            card 80 [2223003122003222] valid
            card 80 [378282246310005] valid
            card 95 [3782 822463 10005] typical form
            card 80 [30569309025904] valid
            card 80 [6011111111111117] valid
            card 80 [3530111333300000] valid
            card 80 [6759649826438453] valid
            -
            -
            -
            -
            -
            card 99 [4111111111111111] context, card
            -
            -
        "#]],
    );
}

#[test]
fn iban() {
    check(
        "
DE89370400440532013000
DE89 3704 0044 0532 0130 00
GB29 NWBK 6016 1331 9268 19 was paid
FR14 2004 1010 0505 0001 3M02 606
NL91ABNA0417164300
DE89370400440532013001
DE8937040044053201300
XX89370400440532013000
de89370400440532013000
",
        expect![[r#"
            iban 98 [DE89370400440532013000] valid
            iban 99 [DE89 3704 0044 0532 0130 00] typical form
            iban 99 [GB29 NWBK 6016 1331 9268 19] typical form
            iban 99 [FR14 2004 1010 0505 0001 3M02 606] typical form
            iban 98 [NL91ABNA0417164300] valid
            -
            -
            -
            iban 98 [de89370400440532013000] valid
        "#]],
    );
}

#[test]
fn ssn() {
    check(
        "
536-90-4399
536 90 4399
SSN 536904399
536904399
000-12-3456
666-12-3456
912-12-3456
536-00-4399
536-90-0000
078-05-1120
1536-90-4399
536-90-43991
536-90-4399-1
",
        expect![[r#"
            us-ssn 70 [536-90-4399] typical form
            -
            us-ssn 95 [536904399] context, ssn
            -
            -
            -
            -
            -
            -
            -
            -
            -
            -
        "#]],
    );
}

#[test]
fn network() {
    check(
        "
10.1.2.3 connected
from [192.168.17.4]:22
http://203.0.113.9/x
127.0.0.1:7878
256.1.2.3
1.2.3
1.2.3.4.5
01.2.3.4
version 1.2.3.4
Chrome/120.0.6099.109
2001:db8::8a2e:370:7334
fe80::1ff:fe23:4567:890a%eth0
[2001:db8::1]:443
::ffff:203.0.113.9
::1
12:34:56
std::vec
a::b
00:1b:63:84:45:e6
00-1B-63-84-45-E6
ff:ff:ff:ff:ff:ff
00:1b:63:84:45:e6:77
http://anna:s3cret!pw@example.com/x
https://example.com:8080/a@b
postgres://user:$PASSWORD@db/x
",
        expect![[r#"
            ipv4 95 [10.1.2.3] valid
            ipv4 95 [192.168.17.4] valid
            ipv4 95 [203.0.113.9] valid
            -
            -
            -
            -
            -
            -
            -
            ipv6 95 [2001:db8::8a2e:370:7334] valid
            ipv6 95 [fe80::1ff:fe23:4567:890a] valid
            ipv6 95 [2001:db8::1] valid
            ipv6 95 [::ffff:203.0.113.9] valid
            -
            -
            -
            -
            mac-address 90 [00:1b:63:84:45:e6] valid
            mac-address 90 [00-1B-63-84-45-E6] valid
            -
            -
            url-credentials 95 [http://anna:s3cret!pw@example.com] valid
            -
            -
        "#]],
    );
}

#[test]
fn birth() {
    check(
        "
born 1980-03-12 in Rome
DOB: 12/03/1980
Date of birth 12 March 1980
geboren am 12.03.1980
she was born on March 12, 1980
née le 12/03/1980
1980-03-12
born to be wild 1980
stubborn 1980-03-12
born 1980-13-45
",
        expect![[r#"
            date-of-birth 90 [1980-03-12] context, born
            date-of-birth 90 [12/03/1980] context, dob
            date-of-birth 90 [12 March 1980] context, birth
            date-of-birth 90 [12.03.1980] context, geboren
            date-of-birth 90 [March 12, 1980] context, born
            date-of-birth 90 [12/03/1980] context, née
            -
            -
            -
            -
        "#]],
    );
}

#[test]
fn national_europe() {
    check(
        "
NHS number 943 476 5919
943 476 5919
NHS 943 476 5918
NINO AB123456C
BG123456C
12345678Z
12345678-Z
12345678A
X1234567L
X-1234567-L
RSSMRA85T10A562S
RSSMRA85T10A562T
1 85 05 78 006 084 91
255081416802538
255081416802539
IdNr. 36574261809
BSN 111222333
BSN 111222334
personnummer 811228-9874
811228-9874
131052-308T
131052-308U
fødselsnummer 15108695088
PESEL 44051401359
85.07.30-033.28
CPR 070761-4285
NIF 123456789
756.9217.0769.85
756.9217.0769.84
PPS 6433435F
710319/2745
CNP 1630615123457
ЕГН 7523169263
OIB 33392005961
isikukood 36805280109
",
        expect![[r#"
            uk-nhs 95 [943 476 5919] context, nhs
            phone 70 [943 476 5919] typical form
            phone 70 [943 476 5918] typical form
            uk-nino 95 [AB123456C] context, nino
            -
            es-dni 90 [12345678Z] valid
            es-dni 95 [12345678-Z] typical form
            -
            es-nie 90 [X1234567L] valid
            es-nie 95 [X-1234567-L] typical form
            it-codice-fiscale 98 [RSSMRA85T10A562S] valid
            -
            fr-nir 95 [1 85 05 78 006 084 91] typical form
            fr-nir 60 [255081416802538] valid
            -
            de-steuer-id 95 [36574261809] context, idnr
            nl-bsn 90 [111222333] context, bsn
            -
            se-personnummer 95 [811228-9874] context, personnummer
            se-personnummer 80 [811228-9874] typical form
            fi-hetu 90 [131052-308T] typical form
            -
            no-fodselsnummer 95 [15108695088] context, fødselsnummer
            pl-pesel 95 [44051401359] context, pesel
            be-rrn 95 [85.07.30-033.28] typical form
            dk-cpr 92 [070761-4285] context, cpr
            pt-nif 92 [123456789] context, nif
            ch-ahv 98 [756.9217.0769.85] typical form
            -
            ie-pps 95 [6433435F] context, pps
            cz-rc 85 [710319/2745] typical form
            ro-cnp 95 [1630615123457] context, cnp
            bg-egn 92 [7523169263] context, ЕГН
            hr-oib 92 [33392005961] context, oib
            ee-isikukood 92 [36805280109] context, isikukood
        "#]],
    );
}

#[test]
fn national_world() {
    check(
        "
390.533.447-05
390.533.447-06
111.111.111-11
Aadhaar 2341 2341 2346
Aadhaar 2341 2341 2347
SIN 123-456-782
TFN 123 456 782
TCKN 10000000146
ID number 7503305044089
971013-9019902
11010519491231002X
110105194912310021
S1234567D
S1234567A
My Number 628547758201
",
        expect![[r#"
            br-cpf 95 [390.533.447-05] typical form
            -
            -
            in-aadhaar 95 [2341 2341 2346] context, aadhaar
            -
            ca-sin 92 [123-456-782] context, sin
            au-tfn 92 [123 456 782] context, tfn
            tr-tckn 95 [10000000146] context, tckn
            za-id 95 [7503305044089] context, id number
            -
            cn-ric 95 [11010519491231002X] valid
            -
            sg-nric 90 [S1234567D] valid
            -
            -
        "#]],
    );
}

#[test]
fn numbers_of_eleven_digits_that_hardly_any_other_number_looks_like() {
    check(
        "
44051401359
44051401358
44251401355
44451401351
44851401353
see 10000000146, as discussed
10000000147
00000000146
15108695088
36805280109
order 44051401359
a 10000000146b
/10000000146
",
        expect![[r#"
            pl-pesel 60 [44051401359] valid
            -
            pl-pesel 60 [44251401355] valid
            -
            -
            tr-tckn 60 [10000000146] valid
            -
            -
            no-fodselsnummer 60 [15108695088] valid
            ee-isikukood 60 [36805280109] valid
            -
            -
            -
        "#]],
    );
}

#[test]
fn korea() {
    check(
        "
971013-9019902
971013-1019901
971013-1019902
RRN 971013-1019902
주민등록번호: 201013-3019902
201013-7019902
971313-1019902
971013-0019902
9710131019901
RRN 9710131019901
RRN 9710131019902
batch 241013-3019902
1971013-1019902
971013-10199021
971013 1019902
",
        expect![[r#"
            -
            kr-rrn 90 [971013-1019901] typical form
            kr-rrn 50 [971013-1019902] valid
            kr-rrn 97 [971013-1019902] context, rrn
            kr-rrn 97 [201013-3019902] context, 주민등록번호
            kr-rrn 50 [201013-7019902] valid
            -
            -
            -
            kr-rrn 97 [9710131019901] context, rrn
            -
            -
            -
            -
            -
        "#]],
    );
}

#[test]
fn secrets() {
    check(
        "
AKIAIOSFODNN7EXAMPLE
AKIAIOSFODNN7EXAMPL
aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY
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
ghp_zQWBuTSOoRi4A9spHcVY5ncnsDkxkJ0mLq18
xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx
sk_live_4eC39HqLyjWDarjtT1zdp7dc
AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY
eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U
eyJub3QiOiJhIHRva2VuIn0.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N
-----BEGIN RSA PRIVATE KEY-----
-----BEGIN PUBLIC KEY-----
AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==
bz_0001020304050607_1u8QmlquE1rQpeqoulx6MZVGVGgufeog3UsDEHmrG2p_912e3317
bz_0001020304050607_1u8QmlquE1rQpeqoulx6MZVGVGgufeog3UsDEHmrG2p_912e3318
password=Tr0ub4dor&3
\"api_key\": \"9f8a7b6c5d4e3f2a1b0c\"
password: required
token = ${TOKEN}
monkey = bananas2
keyboard: qwerty123456
",
        expect![[r#"
            aws-access-key 97 [AKIAIOSFODNN7EXAMPLE] valid
            -
            aws-secret-key 95 [wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY] context, secret_access_key
            github-token 99 [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] valid
            -
            slack-token 97 [xoxb-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx] valid
            stripe-key 97 [sk_live_4eC39HqLyjWDarjtT1zdp7dc] valid
            google-api-key 97 [AIzaSyD-9tSrke72PouQMnMX-a7eZSW0jkFMBWY] valid
            jwt 98 [eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9PlFUP0THsR8U] valid
            -
            private-key 99 [-----BEGIN RSA PRIVATE KEY-----] valid
            -
            azure-key 97 [AccountKey=Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==] valid
            bartizan-key 99 [bz_0001020304050607_1u8QmlquE1rQpeqoulx6MZVGVGgufeog3UsDEHmrG2p_912e3317] valid
            -
            assigned-secret 80 [Tr0ub4dor&3] context
            assigned-secret 80 [9f8a7b6c5d4e3f2a1b0c] context
            -
            -
            -
            -
        "#]],
    );
}

#[test]
fn folded() {
    check(
        "
４１１１ １１１１ １１１１ １１１１
4111\u{a0}1111\u{a0}1111\u{a0}1111
4111\u{200b}1111\u{200b}1111\u{200b}1111
536\u{2011}90\u{2011}4399
anna＠example．org
\u{feff}anna@exa\u{ad}mple.org\u{200b}!
phone ٠٦١٢٣٤٥٦٧٨
",
        expect![[r#"
            card 95 [４１１１ １１１１ １１１１ １１１１] typical form
            card 95 [4111\u{a0}1111\u{a0}1111\u{a0}1111] typical form
            card 80 [4111\u{200b}1111\u{200b}1111\u{200b}1111] valid
            us-ssn 70 [536\u{2011}90\u{2011}4399] typical form
            email 95 [anna\u{ff20}example\u{ff0e}org] valid
            email 95 [anna@exa\u{ad}mple.org] valid
            phone 95 [٠٦١٢٣٤٥٦٧٨] context, phone
        "#]],
    );
}

#[test]
fn groups_that_are_less_usual() {
    check(
        "
4111 11111111 1111
4111 11111111 1112
001a.2b3c.4d5e
abcd.efab.1234
2024.1234.5678
001a.2b3c.4d5e.6f70
x001a.2b3c.4d5e
001a.2b3c.4d5eg
",
        expect![[r#"
            card 95 [4111 11111111 1111] typical form
            -
            mac-address 90 [001a.2b3c.4d5e] valid
            mac-address 90 [abcd.efab.1234] valid
            -
            -
            -
            -
        "#]],
    );
}
