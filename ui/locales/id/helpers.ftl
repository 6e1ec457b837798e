# Penolong pemulihan: memilih, menyimpan bagian, pemberitahuan di beranda, memulihkan dengan dua di antaranya.

helpers-title = Penolong pemulihan
helpers-about = Orang yang bisa mengembalikan rekam Anda, berdua bersama
helpers-intro = Tiga orang yang Anda percaya masing-masing menyimpan satu bagian kunci. Jika semua perangkat Anda hilang, dua di antaranya bisa membuka jalan kembali.
helpers-two = Dua dari tiga diperlukan, beserta server.
helpers-alone-nothing = Satu orang saja tidak bisa apa-apa, dan tidak seorang pun bisa membaca rekam Anda.
helpers-wait = Server menunggu { $count } hari dan memberi tahu semua perangkat Anda. Sampai saat itu Anda bisa menghentikannya.
helpers-no-server = Penolong pemulihan memerlukan server, begitu juga setiap orang yang Anda pilih.
helpers-choose = Pilih tiga penolong
helpers-choose-do = Pilih mereka
helpers-choose-text = Siapa ketiganya?
helpers-people = Anda berbagi rekam dengan mereka:
helpers-number = Penolong { $number }
helpers-others-code = Orang lain menjawab kode yang Anda tunjukkan, dan Anda mengatakan apakah itu benar mereka.
helpers-three = Perlu tiga orang: tulis sebuah nama.
helpers-alike = Nama-nama ini sama. Tulis supaya bisa dibedakan.
helpers-passphrase = Ketik frasa sandi Anda. Penolong yang dulu tidak menolong lagi sejak itu.
helpers-chosen = Penolong Anda sudah dipilih. Kini masing-masing mengambil bagiannya
helpers-replace = Pilih yang lain
helpers-end = Tanpa penolong lagi
helpers-end-text = Sejak itu tidak ada yang bisa mengembalikan rekam Anda. Ketik frasa sandi Anda.
helpers-end-do = Akhiri
helpers-ended = Tidak ada penolong lagi
helpers-ready = Mereka bisa menolong mulai sekarang.
helpers-not-ready = Mereka belum bisa menolong: dua di antaranya harus memegang bagiannya.
helpers-not-stored = Mereka belum bisa menolong: server belum mengetahuinya.
helpers-elsewhere = Mereka dipilih di perangkat Anda yang lain. Hanya perangkat itu yang bisa membagikan bagiannya.
helpers-account = Yang memulihkan harus tahu akun Anda. Catat, atau tanyakan kepada penolong:

helper-chosen = Belum ditanya
helper-waiting = Kodenya menunggu mereka
helper-asking = Ada yang menjawab
helper-handing = Bagiannya sedang di jalan
helper-kept = Menyimpan satu bagian
helper-declined = Menolak. Pilih yang lain
helper-code = Tunjukkan kodenya
helper-code-text = Tunjukkan ini hanya kepada { $name }. Di Mecum mereka: Pengaturan, Penolong pemulihan, “Saya punya kode penolong”.
helper-is-it = { $other } menjawab. Apakah itu { $name }?
helper-yes = Ya, itu { $name }

parts-title = Anda menyimpan bagian untuk
parts-none = Anda tidak menyimpan bagian untuk siapa pun.
part-code = Saya punya kode penolong
part-code-text = Seseorang meminta Anda menjadi penolong pemulihan dan menunjukkan kode.
part-offer = { $name } meminta Anda menjadi penolong pemulihan
part-offer-text = Anda menyimpan bagian kecil sebuah kunci. Dengannya tidak ada yang bisa dibaca. Jika mereka kehilangan semuanya, mereka akan memintanya: berikan hanya setelah Anda berbicara dengan mereka.
part-accept = Ya, saya simpan
part-decline = Tidak
part-for = { $name }
part-waiting = Bagiannya sedang di jalan
part-kept = Anda menyimpan bagiannya
part-old = Mereka memilih penolong lain: bagian ini tidak berguna lagi
part-ended = Tidak jadi
part-tell = Untuk memulihkan mereka harus tahu:
part-give = Berikan bagiannya
part-give-text = Bicaralah dulu dengan { $name }, lewat suara atau tatap muka. Lalu ketik kode dari layar tempat mereka memulihkan.
part-compare = Bacakan enam kata ini bersama { $name }. Layar { $device } harus menunjukkan enam kata yang sama.
part-give-do = Sama. Berikan bagiannya
part-differ = Berbeda
part-given = Bagian Anda sedang menuju { $name }
part-destroy = Musnahkan bagiannya
part-destroy-question = Musnahkan bagian { $name }?
part-destroy-text = Anda tidak bisa lagi menolong pemulihannya. Beri tahu mereka, supaya mereka memilih orang lain.

asked-title = Seseorang meminta memulihkan rekam Anda
asked-text = Diminta { $asked }. Jika tidak ada yang menghentikan, server menolong mereka mulai { $until }. Mereka juga memerlukan dua penolong pemulihan Anda.
asked-words = Enam kata ini ada di layar mereka:
asked-others = { $count ->
    [99] 99 permintaan lain atau lebih menunggu di belakangnya. Jika Anda menghentikannya, semuanya berakhir.
   *[other] { $count } permintaan lain menunggu di belakangnya. Jika Anda menghentikannya, semuanya berakhir.
}
asked-stop = Hentikan
asked-stopping = Anda menghentikannya. Server mengetahuinya begitu ada sinyal.
asked-me = Ini saya
asked-me-text = Jika itu Anda dan perangkat ini ada pada Anda, tidak perlu menunggu: tambahkan perangkat baru di sini.

byhelpers-title = Pulihkan dengan penolong pemulihan
byhelpers-step = penolong pemulihan
byhelpers-lead = Untuk saat semua perangkat dan kit pemulihan hilang. Dua penolong Anda dan server mengembalikan rekam Anda.
byhelpers-told = Server menunggu 7 hari dan memberi tahu semua perangkat Anda. Sementara itu perangkat ini boleh dimatikan.
byhelpers-server-hint = Penolong melihatnya di samping nama Anda.
byhelpers-server-missing = Ketik alamat server: penolong melihatnya.
byhelpers-account-hint = Penolong melihatnya di samping nama Anda, dan ada di kertas kit pemulihan.
byhelpers-account-missing = Ketik akunnya: penolong melihatnya.
byhelpers-locked = Anda sudah pernah meminta di perangkat ini. Ketik frasa sandi yang Anda pilih waktu itu.
byhelpers-waiting = Server menunggu sampai { $until }
byhelpers-waiting-text = Diminta { $asked }. Penolong bisa memberikan bagiannya sementara itu.
byhelpers-released = Server sudah menunggu, dan tidak ada yang menghentikannya.
byhelpers-parts = { $got } dari { $needed } bagian
byhelpers-words = Enam kata pembanding Anda. Setiap penolong membacakannya bersama Anda sebelum memberikan bagian:
byhelpers-code = Tunjukkan kode untuk penolong
byhelpers-code-text = Penolong membuka Pengaturan, Penolong pemulihan, “Berikan bagiannya”, lalu mengetik ini.
byhelpers-look = Tanya server lagi
byhelpers-wrong = Bagian ini tidak cocok: sudah diubah, atau dari penolong yang dulu.
byhelpers-finish = Ketik frasa sandi yang Anda pilih saat meminta.
byhelpers-finish-do = Pulihkan rekam saya
byhelpers-stopped = Ini dihentikan di perangkat akun ini, atau rekamnya dipulihkan dengan cara lain.
byhelpers-over = Server tidak mengenal permintaan ini lagi.
byhelpers-again = Anda bisa meminta lagi mulai { $when }.
byhelpers-drop = Batalkan pemulihan di sini

