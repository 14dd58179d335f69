//go:build linux

package main

import "strings"

// Names in several scripts. A name is followed by a slash and its form in email addresses where
// folding doesn't give that form.
var (
	givenNames = strings.Fields(`
Mary James Patricia Robert Jennifer John Linda Michael Elizabeth David Barbara William Susan Richard Jessica Joseph
Sarah Thomas Karen Charles Lisa Daniel Nancy Matthew Betty Anthony Sandra Mark Ashley Steven Emily Andrew Donna Joshua
Amanda George Melissa Kevin Deborah Brian Laura Edward Rebecca Ronald Helen Timothy Cynthia Jason Amy Jeffrey Anna Ryan
Sofía José María Lucía Martín Álvaro Inés Joaquín Andrés Raúl Nicolás Verónica Mónica Óscar Rocío Begoña
João António Inácio Conceição Luís Fátima Tomás Débora Simão Júlia
François Chloé Hélène René Zoé Noël Aurélie Benoît Cécile Gaël Maël Léa Jérôme Anaïs Loïc Élodie
Jürgen Jörg Käthe Günther Bärbel Sören Björn Björk Åsa Göran Märta Pär Øyvind/oyvind Søren/soren Bjørn/bjorn Jørgen/jorgen
Zoë Noor Sanne Daan Femke Bram Lotte Sven Ingrid Astrid Matteo Giulia Lorenzo Chiara Niccolò Alessia Federica Luca
Łukasz/lukasz Małgorzata/malgorzata Paweł/pawel Agnieszka Wojciech Katarzyna Zdeněk Jiří Kateřina Tomáš Ľubomír Žofia
Eszter Gábor Zsófia Ágnes Bálint Kristóf Ştefan Ioana Răzvan Gheorghe Ayşe Çağla Gökhan Özlem İbrahim/ibrahim Yıldız/yildiz
Ольга/olga Дмитрий/dmitry Наталья/natalya Сергей/sergey Екатерина/ekaterina Алексей/alexey Тарас/taras Оксана/oksana
Георги/georgi Милица/milica Ελένη/eleni Γιώργος/giorgos Δήμητρα/dimitra Νίκος/nikos
王伟/wei 李娜/na 张敏/min 刘洋/yang 陈静/jing 美咲/misaki 太郎/taro さくら/sakura 健太/kenta 葵/aoi
지훈/jihoon 서연/seoyeon 민준/minjun 하은/haeun محمد/mohammed فاطمة/fatima يوسف/yusuf مريم/maryam דוד/david נועה/noa
आरव/aarav दीपिका/deepika राहुल/rahul प्रिया/priya அருண்/arun สมชาย/somchai นภา/napha Nguyệt Thảo Đức/duc
Chinwe Olumide Ngozi Babajide Thandiwe Sipho Amina Kwame Abena Wanjiru Tendai Lindiwe Tariq Leila Omar Yasmin`)

	familyNames = strings.Fields(`
Smith Johnson Williams Brown Jones Miller Davis Wilson Anderson Taylor Thomas Moore Jackson Martin Lee Thompson White
Harris Clark Lewis Robinson Walker Young Allen King Wright Scott Hill Green Adams Nelson Baker Hall Campbell Mitchell
Carter Roberts Phillips Evans Turner Parker Edwards Collins Stewart Morris Murphy Cook Rogers Morgan Cooper Peterson
Reed Bailey Bell Kelly Howard Ward Cox Richardson Wood Watson Brooks Bennett Gray Hughes Price Myers Long Foster Sanders
Ross Powell Sullivan Russell Jenkins Perry Butler Barnes Fisher O'Brien/obrien O'Connor/oconnor O'Neill/oneill McCarthy
MacDonald Fitzgerald St.John/stjohn Smith-Jones Lloyd-Webber
García Martínez López González Hernández Pérez Sánchez Ramírez Flores Rivera Gómez Díaz Reyes Cruz Ortiz Gutiérrez
Chávez Ramos Ruiz Álvarez Mendoza Vásquez Castillo Jiménez Moreno Romero Herrera Medina Aguilar Núñez Peña Ibáñez
Silva Santos Oliveira Souza Pereira Costa Ferreira Almeida Carvalho Gonçalves Araújo Conceição Magalhães Simões
Dubois Durand Leroy Moreau Lefèvre Fournier Girard Mercier Lévêque Gauthier Chevalier François Béranger Poincaré
Müller Schmidt Schneider Fischer Weber Meyer Wagner Becker Schulz Hoffmann Schäfer Koch Bauer Richter Klein Schröder
Neumann Schwarz Zimmermann Krüger Großmann/grossmann Weiß/weiss Köhler König Böhm Jäger
Jansen Bakker Visser Mulder Bos Vos Peters Hendriks Dekker Brouwer Dijkstra Smits Hoekstra Kuipers
Andersson Johansson Karlsson Nilsson Eriksson Larsson Lindström Söderberg Åkesson Bergström Øverland/overland
Sørensen/sorensen Jørgensen/jorgensen Møller/moller Kjær/kjaer Hansen Virtanen Mäkinen Hämäläinen Järvinen
Rossi Russo Ferrari Esposito Bianchi Romano Colombo Ricci Marino Greco Bruno Gallo Conti Mancini Niccolò
Kowalski Wiśniewski Wójcik Kamiński Lewandowski Zieliński Szymański Woźniak Dąbrowski Kozłowski/kozlowski Mazur
Novák Dvořák Černý Procházka Kučera Veselý Horák Němec Nagy Kovács Tóth Szabó Horváth Popescu Ionescu Dumitrescu
Yılmaz/yilmaz Kaya Demir Şahin Çelik Öztürk Aydın/aydin
Иванов/ivanov Смирнова/smirnova Кузнецов/kuznetsov Попова/popova Шевченко/shevchenko Бондаренко/bondarenko Петров/petrov
Παπαδόπουλος/papadopoulos Γεωργίου/georgiou Νικολάου/nikolaou
王/wang 李/li 张/zhang 刘/liu 陈/chen 佐藤/sato 鈴木/suzuki 高橋/takahashi 田中/tanaka 김/kim 이/yi 박/park 최/choi
الأحمد/alahmad حسن/hassan العلي/alali כהן/cohen לוי/levi शर्मा/sharma पटेल/patel सिंह/singh குமார்/kumar ศรีสุข/srisuk
Nguyễn Trần Phạm Hoàng Huỳnh Đặng/dang Okafor Adeyemi Nwosu Mensah Asante Mwangi Otieno Dlamini Nkosi Moyo Banda
Diallo Traoré Haddad Khalil Mansour Rahman Chowdhury Hossain Khan Ahmed Malik`)

	// Most addresses end in com, so that this is what a search can match all users with.
	domains = strings.Fields(`
example.com example.com example.com mail.example.com north.example.com south.example.com acme-tools.com bluebird-bakery.com
harbour-books.com lanternworks.com meadow-clinic.com orchard-and-sons.com papertrail-studio.com quietriver.com
redbrick-school.com silverfern-travel.com tallship-logistics.com umbra-optics.com violetpress.com windmill-farms.com
example.org example.net`)
)
