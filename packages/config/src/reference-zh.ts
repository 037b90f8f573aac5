/** `docs/zh/configuration.md`: the reference in Chinese. */
import { maxConfigFileBytes, maxIncludeDepth } from './limits.ts';
import { maxNameBytes, maxNameSegmentBytes } from './name-check.ts';
import type { ReferenceLanguage } from './reference.ts';
import { chineseTexts, chineseUnits, chineseValues } from './schema/translation-zh.ts';

const mebibyte = 1024 * 1024;

const introduction = `# 配置

服务器读取一个文件：\`bin/srs -c FILE\`；\`bin/srs -t -c FILE\` 只检查不运行。\`conf/full.conf\` 列出所有指令及默认值，\`conf/\` 下的其他文件是示例。
最小的可用文件：

\`\`\`
listen 1935;
vhost __defaultVhost__ {
}
\`\`\`

相对路径从进程的工作目录算起。

## 语法

\`\`\`
file      := { directive }
directive := name { value } ( ";" | "{" { directive } "}" )
\`\`\`

- 词之间用空格、制表符或换行分隔；换行没有其他含义。
- 用 \`"双引号"\` 或 \`'单引号'\` 括起来的词可以包含空格、\`;\` 和 \`{\`。没有转义。右引号之后必须是空格、\`;\` 或 \`{\`。空的引号会被忽略。
- 在可以开始一个词的位置，\`#\` 开始一条注释，直到行尾。
- 同一个块中重复的指令以第一个为准，第二个会产生警告。
- 只接受一个值的指令使用第一个值，其余的产生警告。
- \`include FILE ...;\` 会被文件的内容替换。相对路径从写 include 的文件所在目录算起。每个文件最大 ${maxConfigFileBytes / mebibyte} MB，最多嵌套 ${maxIncludeDepth} 层；循环是错误。

## 值

| 种类 | 写法 |
|---|---|
| 开关 | 只能是 \`on\` 或 \`off\`。其他文本等于默认值，并产生警告 |
| 数字 | SRS 1.0 的指令读取开头的数字，忽略其余部分并警告；新指令则视为错误 |
| 时长 | 以表中单位计的数字，或带单位：\`500ms\`、\`20s\`、\`5m\`、\`1h\` |
| 大小 | 字节，或带单位 \`k\`、\`m\`、\`g\`（1024 进制） |
| 监听地址 | \`1935\`、\`127.0.0.1:1935\`、\`[::]:1935\` |
| 服务器 | \`host\`、\`host:port\`、\`[ipv6]:port\`；默认端口 1935 |

## 错误

有错误的配置不会被使用：服务器不启动，重新加载不改变任何东西。每个问题都会指出位置和可以接受的内容：

\`\`\`
conf/my.conf:3: chunk_size 10 must be 128..65536 bytes
conf/my.conf:7: unknown directive gop_cahe in vhost __defaultVhost__; did you mean gop_cache?
\`\`\`

退出状态：文件无效为 255（错误 1023），多一个 \`}\` 为 2（1026），少一个为 3（1027），文件无法读取为 18（1042）。

文件可以使用尚未实现的功能（下面有标注）：加载时会有一条警告列出它们。

## 环境变量

环境变量覆盖文件。变量名是 \`SRS_\` 加上大写的指令路径，用 \`_\` 连接：\`SRS_LISTEN\`、\`SRS_HTTP_API_LISTEN\`。\`SRS_VHOST_\` 代表 vhost
\`__defaultVhost__\`，文件中没有时会自动创建：\`SRS_VHOST_HLS_HLS_FRAGMENT\`。多个值用空格分隔。空变量被忽略，未知的变量会产生警告。
\`bin/srs -e\` 不用文件运行，此时必须有 \`SRS_LISTEN\`。有自己名字的块（\`ingest\`、\`transcode\`）和指令列表（\`security\`）没有对应的变量。

## 由哪个 vhost 服务

客户端用 tcUrl \`rtmp://host[:port]/app\` 连接。vhost 取自流名中的 \`vhost\` 参数，没有时取自 app，再没有时取自 host：

| tcUrl，流 | vhost | app | 流 |
|---|---|---|---|
| \`rtmp://demo.srs.com/live\`，\`show\` | demo.srs.com | live | show |
| \`rtmp://1.2.3.4/live?vhost=demo.srs.com\`，\`show\` | demo.srs.com | live | show |
| \`rtmp://1.2.3.4/live...vhost...demo.srs.com\`，\`show\` | demo.srs.com | live | show |
| \`rtmp://1.2.3.4/live?vhost=demo.srs.com&key=a\`，\`show\` | demo.srs.com | live | show |
| \`rtmp://1.2.3.4/live\`，\`show?vhost=demo.srs.com&token=b\` | demo.srs.com | live | show |
| \`rtmp://demo.srs.com/a/b\`，\`show\` | demo.srs.com | a/b | show |

由名字完全相同的 vhost 服务，没有时由 \`__defaultVhost__\` 服务，此后会话在回调、日志和 API 中使用它的名字。被禁用的 vhost 拒绝客户端。vhost 不从
\`__defaultVhost__\` 继承：没有写的指令使用内置默认值。

app 和流名最多 ${maxNameBytes} 字节，斜杠之间最多 ${maxNameSegmentBytes} 字节。以点或减号开头的部分、反斜杠、控制字符和不可见字符都被拒绝，用百分号编码或 Unicode 变体代替的也一样。

## 指令

*生效* 表示重新加载后改变的值何时起作用：立即、下次使用（下一次连接、推流、播放或调用），或者重启之后。*版本* 是第一个有该指令的 SRS 版本，\`new\` 表示本服务器新增。
`;

/** The reference in Chinese; a text of the schema without translation is an error, which a test finds. */
export const chinese: ReferenceLanguage = {
  introduction,
  root: '全局',
  columns: ['指令', '值', '默认值', '含义', '生效', '版本'],
  notBuilt: '*尚未实现。*',
  required: '必填',
  none: '无',
  text: (doc) => translated(chineseTexts, doc),
  allowed: (text) => (isPlain(text) ? text : (chineseValues[text] ?? withUnits(text))),
  live: { 'at once': '立即', 'next use': '下次使用', restart: '重启' },
  since: (version) => version,
  aliasesOfRow: (names) => `在 vhost 中也可写作 ${names.join('、')}。`,
  aliasesOfBlock: (names) => `也叫 ${names.join('、')}。`,
  sentenceGap: '',
};

function translated(table: Readonly<Record<string, string>>, text: string): string {
  const translation = table[text];
  if (translation === undefined) throw new Error(`no Chinese text in schema/translation-zh.ts for ${JSON.stringify(text)}`);
  return translation;
}

/** Words to choose from, and ranges with a unit that is an abbreviation. */
function isPlain(text: string): boolean {
  return /^\S+( \| \S+)*$/.test(text) ? text !== 'text' : /^\S+ (ms|s|kbps)$/.test(text);
}

function withUnits(text: string): string {
  const translation = chineseUnits.reduce((done, [pattern, unit]) => done.replace(pattern, unit), text);
  return translation === text ? translated(chineseValues, text) : translation;
}
