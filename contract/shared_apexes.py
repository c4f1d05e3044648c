"""Apexes under which others put their names or pages, and which the list of public suffixes does not have.

Compiled on 2026-12-01 from what providers say of the addresses that their customers get, against the list of
2025-04-07. A bad page at one of them is its own name, or its own path; the apex is everybody's.
"""

from __future__ import annotations

from typing import Final

# A name stands for itself and for `www.` before it, not for what is below.
SHARED_APEXES: Final = frozenset(
    name
    for names in (
        # Links that mail passes through, and what counts who opened it.
        (
            "avanan.click ctrk.klclick.com eloqua.com emailprotection.link emlnk1.com en25.com "
            "go.pardot.com hs-sites-na2.com hubspotpreview-na1.com kit-mail3.com leadconnectorhq.com "
            "link.msgsndr.com links.iterable.com mail.beehiiv.com maillist-manage.com "
            "maillist-manage.eu mlsend2.com msgsndr.com protect.fireeye.com shared.outlook.inky.com "
            "sibforms.com t.eloqua.com url.avanan.click url.emailprotection.link urlsand.esvalabs.com "
            "zcmp.eu zcsend.net"
        ),
        # Hosts of files, each a name of its own.
        (
            "0x0.st 1drv.com 1fichier.com avatars.githubusercontent.com cdn-lfs.huggingface.co "
            "cdn.shopify.com dl.dropboxusercontent.com f000.backblazeb2.com f001.backblazeb2.com "
            "f002.backblazeb2.com file.io files.catbox.moe gateway.pinata.cloud "
            "gist.githubusercontent.com i.imgur.com lh3.googleusercontent.com media.discordapp.net "
            "objects.githubusercontent.com pcloud.link pixeldrain.com raw.githubusercontent.com "
            "res.cloudinary.com s3.wasabisys.com send.cm smash.com temp.sh terabox.com "
            "user-images.githubusercontent.com"
        ),
        # Forms, help desks and sign-in pages of many.
        (
            "auth0.com cognitoforms.com eu.auth0.com form.jotform.com form.typeform.com "
            "forms.zohopublic.com formspree.io microsoftcrmportals.com myjetbrains.com myworkday.com "
            "myworkdayjobs.com okta-emea.com oktapreview.com personio.de smartsheet.com us.auth0.com "
            "visualforce.com zohodesk.com"
        ),
        # More sites, forums and free hosting.
        (
            "66ghz.com atwebpages.com byethost10.com byethost5.com c1.biz cargo.site co.nf ct.ws "
            "eu5.org fandom.com forumotion.com free.fr gt.tc h1n.ru iceiy.com infy.uk itch.io "
            "kesug.com lolipop.jp lovestoblog.com miraheze.org mypressonline.com pixnet.net "
            "proboards.com scienceontheweb.net squarespace-cdn.com tilda.cc totalh.net ucoz.club "
            "ucoz.de ucoz.es ucoz.org ucoz.ua ucraft.site webador.com webador.de webador.fr "
            "wikidot.com x10.mx xo.je xsph.ru zya.me"
        ),
        # More dynamic names and tunnels.
        (
            "a.pinggy.link app.github.dev asuscomm.com dnsexit.com dynnamn.ru euw.devtunnels.ms "
            "free.pinggy.link hikddns.com keenetic.link keenetic.name keenetic.pro lhr.rocks loclx.io "
            "mynetgear.com netcraze.pro now-dns.com now-ip.org plex.direct quickddns.com selfhost.de "
            "selfhost.eu share.zrok.io tplinkdns.com usw2.devtunnels.ms ydns.eu"
        ),
        # Clouds, content networks and catchers of requests.
        (
            "kinstacdn.com mailtrap.live nitrocdn.com p.azurewebsites.net pipedream.net qiniup.com "
            "vtexassets.com vtexcommercestable.com.br webhook.site webshopapp.com "
            "westus.cloudapp.azure.com"
        ),
        # More short links.
        (
            "acesse.one acortar.link encurtador.com.br goo.by linkvertise.com lnk.ink n9.cl q-r.to "
            "qr.ae qr1.be qrfy.com s.yam.com"
        ),
        # Dynamic DNS, and wildcards that answer any address.
        (
            "2288.org 3322.org 6600.org 7766.org 8800.org 8866.org 9966.org afraid.org almostmy.com "
            "changeip.com chickenkiller.com crabdance.com ddns.us dnset.com dnsrd.com dsmtp.com "
            "duiadns.net dumb1.com dynamic-dns.net dyndns.com dynu.com eicp.net ezua.com f3322.net "
            "f3322.org faqserv.com freeddns.com freedns.org freetcp.com freewww.biz gettrials.com "
            "gicp.net got-game.org ignorelist.com imwork.net instanthq.com itemdb.com jetos.com jkub.com "
            "jumpingcrab.com lflink.com line.pm linkpc.net localtest.me longmusic.com lvh.me mefound.com "
            "moneyhome.biz mooo.com mrbasic.com mrface.com my03.com myddns.com myftp.info ninth.biz "
            "nip.io no-ip.com noip.com ns01.us ocry.com onedumb.com onmypc.net onmypc.org oray.com "
            "ourhobby.com picp.net port25.biz proxydns.com publicvm.com qpoe.com run.place sendsmtp.com "
            "serveuser.com serveusers.com sslip.io ssmailer.com strangled.net toythieves.com traefik.me "
            "trickip.net trickip.org twilightparadox.com us.to vicp.net vizvaz.com wikaba.com work.gd "
            "wwwhost.biz wwwhost.us x24hr.com xicp.net xip.io xxuz.com zyns.com zzux.com"
        ),
        # Tunnels to machines at home.
        (
            "bore.pub cfargotunnel.com cpolar.cn cpolar.top devtunnels.ms lhr.life loca.lt localhost.run "
            "localtunnel.me natappfree.cc ngrok.com pagekite.me pinggy.link pinggy.online playit.gg "
            "ply.gg portmap.host portmap.io serveo.net serveousercontent.com tailscale.net zrok.io"
        ),
        # Sites, pages and blogs.
        (
            "000webhost.com 000webhostapp.com 3dn.ru 42web.io about.me adalo.com ameblo.jp angelfire.com "
            "at.ua atspace.com awardspace.com awardspace.net base44.app beacons.ai bearblog.dev "
            "beehiiv.com bio.link bio.site blogger.com bolt.host byethost.com byethost22.com "
            "byethost7.com cafe24.com canalblog.com clan.su clickfunnels.com creatorlink.net ct8.pl do.am "
            "dudaone.com epizy.com exblog.jp ezyro.com fc2.com framer.com free.nf freeservers.com "
            "freewebs.com gamma.site ghost.io ghost.org gitbook.com gitbook.io glide.page "
            "godaddysites.com great-site.net hashnode.dev heliohost.org homestead.com hostingersite.com "
            "hs-sites-eu1.com hs-sites.com hubspotpagebuilder.com hubspotpagebuilder.eu imweb.me "
            "infinityfree.com infinityfreeapp.com instapage.com jimdo.com jimdofree.com jimdosite.com "
            "jugem.jp kajabi.com kinsta.cloud kinsta.page leadpages.net linktr.ee livedoor.blog "
            "livedoor.jp livejournal.com lnk.bio medium.com micro.blog mobirisesite.com moy.su "
            "multiscreensite.com my1.ru myclickfunnels.com mykajabi.com mystrikingly.com narod.ru "
            "neocities.org notion.so oopy.io over-blog.com pagedemo.co pastebin.com podia.com "
            "preview-domain.com readthedocs.org rentry.co rf.gd seesaa.net serv00.net simdif.com "
            "site123.me skyrock.com softr.app squarespace.com strikingly.com substack.com super.site "
            "svbtle.com swipepages.net systeme.io taplink.cc teachable.com telegra.ph thinkific.com "
            "tilda.ws tistory.com tripod.com tumblr.com typepad.com ucoz.com ucoz.net ucoz.ru umso.co "
            "unaux.com unbouncepages.com webcindario.com webflow.com webnode.com webnode.cz webnode.es "
            "webnode.fr webnode.it webnode.nl webnode.page webs.com weebly.com weeblysite.com wix.com "
            "wordpress.com wpcomstaging.com wpengine.com write.as writeas.com wuaze.com x10host.com "
            "yola.com zyrosite.com"
        ),
        # Shops, forms, desks, shared files.
        (
            "4shared.com airtable.com archive.org atlassian.net bigcartel.com catbox.moe company.site "
            "discord.com discordapp.com discordapp.net dropbox.com dropboxusercontent.com dynamics.com "
            "ecwid.com filesusr.com force.com formstack.com freshdesk.com freshservice.com gofile.io "
            "gumroad.com helpscoutdocs.com ibb.co imgur.com jotform.com jotform.me lightning.force.com "
            "lojaintegrada.com.br lojavirtualnuvem.com.br mediafire.com mega.nz mitiendanube.com "
            "monday.com my.salesforce.com my.site.com mybigcommerce.com myshoplaza.com myshopline.com "
            "onmicrosoft.com onshopbase.com paperform.co payhip.com powerappsportals.com "
            "salesforce-sites.com service-now.com sharepoint.com shop-pro.jp shopify.com shoplineapp.com "
            "slack.com statuspage.io stores.jp surveymonkey.com tally.so thebase.in transfer.sh "
            "uservoice.com wetransfer.com wufoo.com zendesk.com zohocreator.com zohopublic.com "
            "zohosites.com"
        ),
        # Applications and machines of clouds.
        (
            "alicdn.com aliyuncs.com anvil.app appdomain.cloud azure-devices.net azure.com azure.net "
            "azurecontainerapps.io azurehdinsight.net azurewebsites.us b0.upaiyun.com b4a.app b4a.run "
            "back4app.io baidubce.com bcebos.com bluemix.net cloudapp.azure.com clouddn.com "
            "cloudflare.com codepen.io codesandbox.io contaboserver.net convex.cloud cyclic.app "
            "database.windows.net digitalocean.com firebaseio.com firebasestorage.app fly.io gitpod.io "
            "glitch.com googleusercontent.com gradio.app gradio.live hana.ondemand.com heroku.com "
            "herokudns.com herokussl.com hostwindsdns.com huaweicloud.com huggingface.co hwclouds.com "
            "jdcloud.com jsbin.com jsfiddle.net koyeb.app ksyuncs.com modal.run msappproxy.net "
            "mybluemix.net myhuaweicloud.com myqcloud.com ncloud.com netlify.com nhost.run ntruss.com "
            "ondemand.com oraclecloud.com ovh.ca qiniucdn.com qiniudn.com railway.app replit.com "
            "secureserver.net selcdn.ru selectel.org selstorage.ru softlayer.net stackblitz.com "
            "stackblitz.io surge.sh tcloudbaseapp.com tencentcs.com ufileos.com up.railway.app "
            "upaiyun.com vault.azure.net vercel-dns.com vercel.com visualstudio.com vkcs.cloud volces.com "
            "vultrusercontent.com webcontainer.io your-server.de"
        ),
        # Object stores and gateways.
        (
            "4everland.app 4everland.io ampproject.org ar.io archive.ph arweave.net backblazeb2.com "
            "cdn.ampproject.org cloudflarestorage.com dreamhost.com eth.limo eth.link exo.io filebase.com "
            "fleek.co fleek.cool ic0.app icp0.io idrivee2.com ipfs.io mypinata.cloud on.fleek.co "
            "r2.cloudflarestorage.com siasky.net storjshare.io tebi.io translatetheweb.com wasabisys.com "
            "your-objectstorage.com"
        ),
        # Shorteners and links of applications.
        (
            "1drv.ms a.co adf.ly adj.st aka.ms amzn.to app.link bc.vc bit.ly bitly.com bnc.lt buff.ly "
            "clck.ru conta.cc cutt.ly db.tt discord.gg dlvr.it dwz.cn eepurl.com fb.me ffm.to flip.it "
            "forms.gle g.co geni.us go.link goo.gl goo.su han.gl hubs.la hubs.li hubs.ly ift.tt is.gd "
            "j.mp kutt.it lihi.cc lnk.to lnkd.in mailchi.mp me-qr.com me2.do onelink.me ouo.io ow.ly "
            "owl.li page.link pse.is qrco.de rb.gy rebrand.ly reurl.cc s.id short.io shorturl.at "
            "smart.link smarturl.it sng.link soo.gd spr.ly suo.im surl.li t.cn t.co t.ly t.me t2m.io "
            "tiny.cc tiny.one tiny.pl tinyurl.com tny.im trib.al u.to url.cn urlz.fr v.gd vk.cc vo.la "
            "wa.me we.tl wp.me youtu.be"
        ),
        # Content networks.
        (
            "a-msedge.net adobecqms.net akam.net akamai.com akamaitechnologies.com alikunlun.com "
            "azioncdn.net azionedge.net b-cdn.net bdydns.com bunnycdn.com bunnyinfra.net cachefly.net "
            "ccgslb.com cdn.dnsv1.com cdn.jsdelivr.net cdn.ngenix.net cdnetworks.net cdngc.net "
            "cdnhwc1.com cdnhwc2.com cdnvideo.ru chinacache.net chinanetcenter.com cloudflareaccess.com "
            "cloudflaressl.com cloudflarestream.com cloudinary.com dnsv1.com edgecastcdn.net "
            "edgecastdns.net edgefcs.net fastly.com footprint.net gccdn.net gcdn.co gcorelabs.net "
            "hwcdn.net imgix.net impervadns.net incapdns.net inscname.net jomodns.com jsdelivr.net "
            "kunlunsl.com kxcdn.com l-msedge.net lldns.net llnwd.net llnwi.net lswcdn.net lxdns.com "
            "msedge.net netdna-cdn.com netdna-ssl.com ngenix.net omtrdc.net ourwebpic.com parastorage.com "
            "quantil.com s-msedge.net scene7.com stackpathcdn.com stackpathdns.com sucuri.net "
            "swiftserve.com systemcdn.net t-msedge.net tbcache.com unpkg.com v0cdn.net v1cdn.net "
            "v2cdn.net wixstatic.com worldcdn.net wscdns.com wscloudcdn.com wsdvs.com wsglb0.com"
        ),
        # Mail and marketing: the links in letters of thousands of senders.
        (
            "acemlna.com acemlnb.com acemlnc.com acemlnd.com activehosted.com amazonses.com aweber.com "
            "awstrack.me benchmarkemail.com benchmarkurl.com bmetrack.com brevo.com bronto.com "
            "campaign-archive.com campaign-archive1.com campaign-archive2.com ccsend.com ck.page "
            "cl.exct.net cleverreach.com cmail1.com cmail19.com cmail2.com cmail20.com "
            "constantcontact.com convertkit-mail.com convertkit-mail2.com convertkit.com createsend.com "
            "createsend1.com crsend.com ct.sendgrid.net customer.io customeriomail.com dmtrk.com "
            "dmtrk.net doubleclick.net dripemail2.com elasticemail.com emarsys.net emlnk.com "
            "exacttarget.com exct.net getresponse.com getresponsepages.com gr-site.com hsforms.com "
            "hubspot.com hubspotemail.net hubspotlinks.com hubspotlinksfree.com hubspotlinksstarter.com "
            "hubspotusercontent-na1.net icontact.com infusionsoft.app infusionsoft.com "
            "intercom-clicks.com intercom-mail.com iterable.com keap-link001.com keap-page.com kit.com "
            "klaviyo.com klaviyomail.com klclick.com klclick1.com klclick2.com klclick3.com "
            "kmail-lists.com linkprotect.cudasvc.com list-manage.com list-manage1.com list-manage2.com "
            "mailchimp.com mailchimpsites.com mailerlite.com mailersend.net mailgun.com mailgun.net "
            "mailgun.org mailjet.com mandrillapp.com marketingcloudapps.com marketo.com marketo.net "
            "mcdlv.net mcsv.net mimecast.com mimecastprotect.com mjt.lu mktoweb.com mlsend.com "
            "moosend.com musvc.com pardot.com protection.outlook.com pstmrk.it rapidmail.com "
            "responsys.net rs6.net rsgsv.net s10.exacttarget.com s7.exacttarget.com "
            "safelinks.protection.outlook.com sendgrid.com sendgrid.net sendibm1.com sendibm3.com "
            "sendibt2.com sendibt3.com sendinblue.com sendpulse.com sfmc-content.com sibautomation.com "
            "sidekickopen01.com smtp2go.com sparkpostmail.com sparkpostmail2.com stat-pulse.com "
            "trackedlink.net trk.klclick.com u.sendgrid.net unisender.com urldefense.com "
            "urldefense.proofpoint.com vresp.com"
        ),
    )
    for name in names.split()
)
