//! temporary
use bartizan_base::*;
use bartizan_store::*;
use std::time::Instant;
#[test]
#[expect(clippy::disallowed_methods, reason = "x")]
fn measure_blobs() {
    let home = tempfile::tempdir_in("/work/t").unwrap();
    let blobs = DirBlobs::open(home.path()).unwrap();
    let data = vec![1u8; 4096];
    for batch in [1usize, 4, 16, 64, 256] {
        let names: Vec<BlobName> = (0..batch).map(|i| format!("d{batch}/{i:03}").parse().unwrap()).collect();
        let items: Vec<(&BlobName, &[u8])> = names.iter().map(|n| (n, data.as_slice())).collect();
        blobs.put(&items).unwrap();
        let t = Instant::now();
        let n = 10;
        for _ in 0..n {
            blobs.put(&items).unwrap();
        }
        println!("put of {batch} x 4 KiB: {:?} per put", t.elapsed() / n);
    }
    let cas = DirCas::open(home.path()).unwrap();
    let k: BlobName = "head".parse().unwrap();
    cas.swap(&k, None, b"0").unwrap();
    let t = Instant::now();
    for i in 0..50 {
        let o = cas.load(&k).unwrap();
        cas.swap(&k, o.as_deref(), i.to_string().as_bytes()).unwrap();
    }
    println!("load + swap: {:?}", t.elapsed() / 50);
    let t = Instant::now();
    for _ in 0..200 {
        cas.load(&k).unwrap();
    }
    println!("load: {:?}", t.elapsed() / 200);
    use std::io::Write;
    let big = vec![3u8; 1 << 20];
    let t = Instant::now();
    let mut w = blobs.create().unwrap();
    for _ in 0..512 {
        w.write_all(&big).unwrap();
    }
    w.commit(&"big".parse().unwrap()).unwrap();
    println!("stream 512 MiB: {:?}", t.elapsed());
    let r = blobs.open(&"big".parse().unwrap()).unwrap();
    let mut buf = big.clone();
    let t = Instant::now();
    for i in 0..512u64 {
        r.read_exact_at(i << 20, &mut buf).unwrap();
    }
    println!("read 512 MiB: {:?}", t.elapsed());
    let t = Instant::now();
    for i in 0..20_000 {
        std::fs::create_dir_all(home.path().join(format!("l/{:02x}", i % 256))).unwrap();
        std::fs::write(home.path().join(format!("l/{:02x}/{i:08}", i % 256)), b"").unwrap();
    }
    println!("made {:?}", t.elapsed());
    let t = Instant::now();
    let l = blobs.list("l/", None, 100).unwrap();
    println!("list 100 of 20000 in 256 folders: {:?} {}", t.elapsed(), l.len());
    let t = Instant::now();
    let l = blobs.list("l/", None, usize::MAX).unwrap();
    println!("list all: {:?} {}", t.elapsed(), l.len());
}
#[tokio::test]
#[expect(clippy::disallowed_methods, reason = "x")]
async fn measure_sql() {
    let home = tempfile::tempdir_in("/work/t").unwrap();
    let db = Db::create(&home.path().join("x.db")).await.unwrap();
    let all = crate::sql::large::large();
    let t = Instant::now();
    db.tx("fill", async |mut tx| index::replace(&mut tx, &all).await).await.unwrap();
    println!("replace 10 x 100,000 rows: {:?}", t.elapsed());
    let t = Instant::now();
    let found = db.read("read", async |mut tx| index::read(&mut tx).await).await.unwrap();
    println!("read all: {:?}", t.elapsed());
    let t = Instant::now();
    assert_eq!(found.first_difference(&all), None);
    println!("compare: {:?}", t.elapsed());
    let t = Instant::now();
    for i in 0..100 {
        let size = i;
        let d = index::Delta {
            from: index::Head { applied_size: size, ..Default::default() },
            to: index::Head { applied_size: size + 1, ..Default::default() },
            put: index::Tables {
                entries: vec![index::entries::Entry {
                    idx: 200_000 + size,
                    predicate_type: "x".into(),
                    subject: "x".into(),
                    signer: "x".into(),
                    at_ms: 1,
                }],
                ..Default::default()
            },
            ..Default::default()
        };
        db.tx("apply", async |mut tx| index::apply(&mut tx, &d).await).await.unwrap();
    }
    println!("apply one entry: {:?}", t.elapsed() / 100);
    let t = Instant::now();
    for _ in 0..100 {
        db.read("l", async |mut tx| index::models::newest(&mut tx, None, 50).await).await.unwrap();
    }
    println!("models newest 50: {:?}", t.elapsed() / 100);
    let t = Instant::now();
    for _ in 0..100 {
        db.read("l", async |mut tx| {
            index::entries::latest(&mut tx, index::entries::Which::All, None, 50).await
        })
        .await
        .unwrap();
    }
    println!("entries latest 50: {:?}", t.elapsed() / 100);
}
