package dev.cambium.report;

/** The style sheet of pages and drawings: few colours, each with one meaning. */
final class Style {

  private Style() {}

  /** Colours by meaning, for light and dark. Ink and the four tones keep 4.5:1 on the paper. */
  static final String COLOURS =
      """
      :root{color-scheme:light dark;
      --paper:#fbfaf7;--card:#ffffff;--ink:#1f2624;--soft:#5c6663;--faint:#dcdfda;--rule:#e9eae5;
      --good:#1f6f4a;--good-bg:#e3f1e8;--calm:#2f6285;--calm-bg:#e4edf4;
      --bad:#b03a2b;--bad-bg:#f9e6e2;--warn:#8a5a10;--warn-bg:#f6ecd9;--quiet:#66706c;--quiet-bg:#eff0ec}
      @media (prefers-color-scheme:dark){:root{
      --paper:#151918;--card:#1c2120;--ink:#e5e8e4;--soft:#a3aca8;--faint:#3a4240;--rule:#2a302e;
      --good:#6cc49a;--good-bg:#1d3429;--calm:#86b7da;--calm-bg:#1d2d39;
      --bad:#ec8a7b;--bad-bg:#3d2320;--warn:#d9ab5f;--warn-bg:#372b18;--quiet:#98a19d;--quiet-bg:#252b29}}
      """;

  /** What drawings need. */
  static final String DRAWING =
      """
      svg text{font-family:system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif;
      font-size:11px;fill:var(--soft)}
      svg .paper{fill:var(--paper)}
      .fleet .head{font-size:11px;fill:var(--soft)}
      .fleet .edge{fill:none;stroke:var(--faint);stroke-width:1.3}
      .fleet .edge.good{stroke:var(--good);opacity:.75}
      .fleet .edge.calm{stroke:var(--calm);opacity:.75}
      .fleet .edge.bad{stroke:var(--bad);stroke-dasharray:3 3}
      .fleet .edge.warn{stroke:var(--warn);stroke-dasharray:3 3}
      .fleet .box{fill:var(--card);stroke:var(--faint);stroke-width:1}
      .fleet .good .box{fill:var(--good-bg);stroke:var(--good)}
      .fleet .calm .box{fill:var(--calm-bg);stroke:var(--calm)}
      .fleet .bad .box{fill:var(--bad-bg);stroke:var(--bad)}
      .fleet .warn .box{fill:var(--warn-bg);stroke:var(--warn)}
      .fleet .name{font-size:12.5px;font-weight:600;fill:var(--ink)}
      .fleet .version{font-size:11px;font-weight:400;fill:var(--soft)}
      .fleet .state{font-size:11px}
      .fleet .good .state{fill:var(--good)}.fleet .calm .state{fill:var(--calm)}
      .fleet .bad .state{fill:var(--bad)}.fleet .warn .state{fill:var(--warn)}
      .fleet .accuracy,.fleet .end{text-anchor:end}
      .fleet .accuracy{font-size:11.5px;font-weight:600;fill:var(--ink);font-variant-numeric:tabular-nums}
      .fleet .sign{fill:none;stroke:var(--quiet);stroke-width:1.8;stroke-linecap:round;stroke-linejoin:round}
      .fleet .sign.good{stroke:var(--good)}.fleet .sign.calm{stroke:var(--calm)}
      .fleet .sign.bad{stroke:var(--bad)}.fleet .sign.warn{stroke:var(--warn)}
      .fleet .sign.point{fill:var(--quiet);stroke:none}
      .fleet .sign.full{fill:var(--good);stroke:none}
      svg .grid{stroke:var(--rule);stroke-width:1;fill:none}
      svg .axis{stroke:var(--faint);stroke-width:1;fill:none}
      svg .tick{font-size:10.5px;font-variant-numeric:tabular-nums}
      svg .limit{stroke:var(--soft);stroke-width:1;stroke-dasharray:4 3;fill:none}
      svg text.limit{stroke:none;fill:var(--ink);font-weight:600}
      svg .interval{fill:none;stroke-width:2;stroke-linecap:round}
      svg .interval.before{stroke:var(--quiet);opacity:.6}svg .interval.after{stroke:var(--calm)}
      svg .dot.before{fill:var(--card);stroke:var(--quiet);stroke-width:1.6}
      svg .dot.after{fill:var(--calm);stroke:none}
      .plot .s0,.ways .s0{--tone:var(--calm)}.plot .s1,.ways .s1{--tone:var(--warn)}
      .plot .s2,.ways .s2{--tone:var(--good)}.plot .s3,.ways .s3{--tone:var(--bad)}
      .plot .s4,.ways .s4{--tone:var(--quiet)}.plot .s5,.ways .s5{--tone:var(--calm)}
      .plot .s6,.ways .s6{--tone:var(--warn)}.plot .s7,.ways .s7{--tone:var(--good)}
      .plot .line{fill:none;stroke:var(--tone);stroke-width:1.7;stroke-linejoin:round}
      .plot .line.s5,.plot .line.s6,.plot .line.s7{stroke-dasharray:5 3}
      .plot .bar{fill:none;stroke:var(--tone);stroke-width:1.6;stroke-linecap:round;opacity:.55}
      .plot .band{fill:var(--tone);stroke:none;opacity:.16}
      .plot .full{fill:var(--tone);stroke:none}
      .plot .hollow{fill:var(--card);stroke:var(--tone);stroke-width:1.4}
      .wealth .path{fill:none;stroke-width:1.8;stroke-linejoin:round}
      .wealth .path.good{stroke:var(--good)}.wealth .path.bad{stroke:var(--bad)}
      .wealth .name{font-weight:600}
      .wealth .name.good{fill:var(--good)}.wealth .name.bad{fill:var(--bad)}
      .wealth .name.quiet{fill:var(--soft);font-weight:400}
      """;

  /** What pages need besides. */
  static final String PAGE =
      """
      *{box-sizing:border-box}
      html{-webkit-text-size-adjust:100%}
      body{margin:0;background:var(--paper);color:var(--ink);
      font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
      main,header,footer,nav{max-width:1180px;margin:0 auto;padding:0 28px}
      header{padding-top:44px}
      h1{font-size:30px;line-height:1.2;margin:0 0 8px;letter-spacing:-.015em;font-weight:650}
      header p{font-size:17px;color:var(--soft);margin:0;max-width:44em}
      nav{display:flex;flex-wrap:wrap;gap:4px 20px;padding-top:18px;padding-bottom:14px;font-size:14px}
      nav a{color:var(--soft);text-decoration:none;border-bottom:1px solid var(--faint)}
      nav a:hover,nav a:focus{color:var(--ink);border-color:var(--ink)}
      section{border-top:1px solid var(--faint);padding:26px 0 18px}
      h2{font-size:21px;line-height:1.3;margin:0 0 4px;letter-spacing:-.01em;font-weight:650}
      h3{font-size:16px;line-height:1.3;margin:18px 0 4px;font-weight:650}
      .lead{color:var(--soft);margin:0 0 16px;max-width:52em}
      p{max-width:52em;margin:8px 0}
      figure{margin:16px 0;overflow-x:auto}
      figcaption,caption{font-size:13px;font-weight:600;color:var(--soft);text-align:left;padding:0 0 8px}
      figure svg{display:block;max-width:100%;height:auto}
      .pair{display:grid;grid-template-columns:1fr 1fr;gap:12px 32px}
      .pair figure{margin:12px 0}
      .tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(140px,1fr));background:var(--card);
      border:1px solid var(--faint);border-radius:8px;overflow:hidden;margin:8px 0 18px}
      .tile{padding:14px 16px;box-shadow:1px 1px 0 var(--faint)}
      .tile .value{white-space:nowrap;font-size:25px;line-height:1.2;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.01em}
      .tile .label{font-size:13px}
      .tile .note{font-size:12.5px;color:var(--soft)}
      dl.terms{display:grid;grid-template-columns:max-content minmax(0,1fr);gap:4px 18px;margin:12px 0;font-size:14px}
      dl.terms dt{color:var(--soft)}
      dl.terms dd{margin:0;overflow-wrap:anywhere}
      .exact{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.88em;white-space:pre-wrap}
      .scroll{overflow-x:auto;margin:16px 0}
      table{border-collapse:collapse;width:100%;font-size:14px}
      th,td{text-align:left;padding:6px 12px 6px 0;vertical-align:top;border-bottom:1px solid var(--rule)}
      thead th{font-size:12.5px;font-weight:500;color:var(--soft);vertical-align:bottom;border-color:var(--faint)}
      tbody th{font-weight:600;white-space:nowrap}.evidence figure{margin:0}
      table.accuracy td,table.accuracy th{vertical-align:middle}
      table.accuracy tbody th{padding-top:7px;padding-bottom:7px}table.accuracy td.plot,table.accuracy th.plot{width:380px;min-width:260px;padding:0 16px 0 0}
      table.accuracy svg{display:block;width:100%}
      .line{display:block;font-weight:400;font-size:12px;color:var(--soft)}
      .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
      .good{color:var(--good)}.bad{color:var(--bad)}.warn{color:var(--warn)}.calm{color:var(--calm)}.quiet{color:var(--quiet)}
      .key{font-size:12.5px;color:var(--soft);margin:6px 0 0}
      .key i{display:inline-block;width:9px;height:9px;border-radius:50%;margin:0 5px 0 0;vertical-align:0}
      .key i.before{border:1.6px solid var(--quiet);background:var(--card)}
      .key i.after{background:var(--calm);margin-left:14px}
      .ways{display:flex;flex-wrap:wrap;gap:4px 18px}
      .ways i{background:var(--tone)}.ways .s5,.ways .s6,.ways .s7{border-radius:2px}
      .chip{display:inline-block;font-size:12px;font-weight:650;line-height:1;padding:5px 8px;border-radius:5px;
      letter-spacing:.02em;white-space:nowrap;background:var(--quiet-bg);color:var(--quiet)}
      .chip.good{background:var(--good-bg);color:var(--good)}.chip.bad{background:var(--bad-bg);color:var(--bad)}
      .chip.warn{background:var(--warn-bg);color:var(--warn)}.chip.calm{background:var(--calm-bg);color:var(--calm)}
      details.verdict{color:var(--ink);background:var(--card);border:1px solid var(--faint);border-radius:8px;margin:10px 0}
      details.verdict.bad{border-color:var(--bad)}details.verdict.warn{border-color:var(--warn)}
      details.verdict>summary{padding:11px 16px;cursor:pointer;display:flex;flex-wrap:wrap;gap:6px 12px;align-items:center;list-style:none}
      details.verdict>summary::-webkit-details-marker{display:none}
      details.verdict>summary::after{content:"+";margin-left:auto;color:var(--soft);font-size:18px;line-height:1}
      details.verdict[open]>summary::after{content:"–"}
      summary:focus-visible,a:focus-visible{outline:2px solid var(--calm);outline-offset:2px;border-radius:4px}
      summary b{font-weight:650}
      summary .why{color:var(--soft);font-size:14px}
      .evidence{border-top:1px solid var(--rule);padding:14px 16px}
      .evidence h4{margin:0 0 8px;font-size:15px;display:flex;gap:10px;align-items:center;flex-wrap:wrap}
      .evidence .columns{display:grid;grid-template-columns:minmax(240px,1fr) minmax(300px,440px);gap:8px 32px;align-items:start}
      .evidence svg{display:block;width:100%;height:auto}
      .evidence h5{margin:14px 0 4px;font-size:13px;color:var(--soft);font-weight:600}
      .common{margin:4px 0;padding:10px 14px;background:var(--bad-bg);border-radius:6px;list-style:none}
      .common li{margin:2px 0}
      td.said{overflow-wrap:anywhere;min-width:90px}
      details.more>summary{cursor:pointer;color:var(--soft);font-size:13.5px;padding:8px 0}
      details.fold>summary{cursor:pointer;list-style-position:outside}
      details.fold>summary h2{display:inline}
      .bars{display:grid;grid-template-columns:minmax(120px,max-content) minmax(120px,1fr) max-content max-content;gap:7px 14px;align-items:center;font-size:14px;margin:12px 0}
      .bars .note{color:var(--soft);font-size:13px}
      .bars svg{display:block;width:100%;height:14px}
      .bars rect.track{fill:var(--quiet-bg)}
      .bars rect.good{fill:var(--good)}.bars rect.bad{fill:var(--bad)}.bars rect.warn{fill:var(--warn)}
      .bars rect.calm{fill:var(--calm)}.bars rect.quiet{fill:var(--quiet)}
      ul.why,ul.why ul{list-style:none;margin:0;padding:0}
      ul.why ul{margin-left:11px;padding-left:22px;border-left:1px solid var(--faint)}
      ul.why li{position:relative;padding:6px 0}
      ul.why ul>li::before{content:"";position:absolute;left:-22px;top:19px;width:15px;border-top:1px solid var(--faint)}
      ul.why .title{font-weight:650}
      ul.why dl.terms{font-size:13px;margin:2px 0 4px;gap:1px 14px}
      ul.why .text{color:var(--soft);font-size:14px}
      footer{border-top:1px solid var(--faint);padding-top:16px;padding-bottom:40px;margin-top:14px;font-size:13px;color:var(--soft)}
      @media (max-width:900px){.pair,.evidence .columns{grid-template-columns:minmax(0,1fr)}main,header,footer,nav{padding-left:18px;padding-right:18px}}
      @media print{:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#444;--faint:#bbb;--rule:#ddd;
      --good:#1f6f4a;--good-bg:#eef6f1;--calm:#2f6285;--calm-bg:#eef3f7;--bad:#b03a2b;--bad-bg:#fbf0ee;
      --warn:#8a5a10;--warn-bg:#faf4e9;--quiet:#66706c;--quiet-bg:#f4f4f2}
      nav{display:none}body{font-size:11pt}figure,.evidence,.tile,tr{break-inside:avoid}h2,h4{break-after:avoid}}
      """;
}
