/** The texts of the schema in Chinese, by the English text: whoever changes that one is told by a test that this is left behind. */
export const chineseTexts: Readonly<Record<string, string>> = {
  // Root
  'Addresses for RTMP. A port alone listens on all IPv4 addresses. Required.':
    'RTMP 监听地址。只写端口时监听所有 IPv4 地址。必填。',
  'File that holds the process id and the lock against a second server.': '保存进程号的文件，同时作为锁，防止启动第二个服务器。',
  'Chunk size of what the server sends. Large chunks cost less; small ones let audio pass between the pieces of a large picture.':
    '服务器发送数据时的 chunk 大小。大的 chunk 开销小；小的 chunk 能让音频穿插在大画面的分块之间。',
  'The acknowledgement window the server asks its clients for; 0 leaves it to the client.':
    '服务器要求客户端使用的确认窗口；0 表示由客户端决定。',
  'The acknowledgement window the server announces for its own output.': '服务器为自己的输出宣告的确认窗口。',
  'Directory for the logs of ffmpeg; `/dev/null` writes none.': 'ffmpeg 日志目录；`/dev/null` 表示不写。',
  'Where the log goes.': '日志写到哪里。',
  'The least important lines that are written; `off`, as any text that is no level, writes none.':
    '写入日志的最低级别；`off` 或任何不是级别的文本都表示不写。',
  'The log file, appended to.': '日志文件，追加写入。',
  '`classic` writes the lines of SRS, `json` one object per line.': '`classic` 写 SRS 格式的行，`json` 每行写一个对象。',
  'Times in the log are UTC instead of local time.': '日志中的时间使用 UTC，而不是本地时间。',
  'Connections of all kinds together; one more is closed at once. The process must be allowed to open as many files.':
    '各类连接的总数上限；超出的连接立即关闭。进程必须允许打开同样多的文件。',
  'Reload when the configuration file, or one that it includes, has been written.':
    '配置文件或它 include 的文件被写入后自动重新加载。',
  'Run in the background.': '在后台运行。',
  'The directory that relative paths count from. The configuration file is found before that.':
    '相对路径的起始目录。配置文件本身在此之前查找。',
  'End, as by SIGTERM, when the process that started the server is gone. Needs `daemon off`.':
    '启动服务器的进程消失后，像收到 SIGTERM 一样结束。需要 `daemon off`。',
  'Stay in the foreground whatever `daemon` says where a container ends with the process it runs.':
    '在随主进程结束的容器中，不管 `daemon` 如何设置都留在前台。',
  'How long a graceful quit (SIGQUIT) goes on accepting clients, until who sends them knows that the server leaves.':
    '平滑退出（SIGQUIT）后继续接受客户端的时间，直到调度方知道这台服务器要下线。',
  'How long a graceful quit then waits for clients to leave by themselves; the others are dismissed.':
    '平滑退出接下来等待客户端自行离开的时间；剩下的客户端会被断开。',
  'How long a graceful quit waits when the last client has left.': '最后一个客户端离开后，平滑退出再等待的时间。',
  'Take SIGTERM for SIGQUIT: where nothing else can be sent. A second SIGTERM ends the wait.':
    '把 SIGTERM 当作 SIGQUIT，用于只能发送 SIGTERM 的环境。第二个 SIGTERM 结束等待。',
  // limits
  'What one address may have, counted over all workers and vhosts. The addresses of one IPv6 network of 64 bits count as one.':
    '单个地址的限额，跨所有 worker 和 vhost 统计。同一个 64 位 IPv6 网段的地址算作一个。',
  'Connections of one address; one more is closed before anything is read from it. 0 sets no limit.':
    '单个地址的连接数；超出的连接在读取任何数据之前就被关闭。0 表示不限。',
  'Streams that one address publishes at a time. 0 sets no limit.': '单个地址同时推流的路数。0 表示不限。',
  'Streams that one address plays at a time. 0 sets no limit.': '单个地址同时播放的路数。0 表示不限。',
  'Connections that one address may open in a second; one more is closed before anything is read from it. 0 sets no limit.':
    '单个地址每秒可以建立的连接数；超出的连接在读取任何数据之前就被关闭。0 表示不限。',
  'Addresses and networks without limits, such as other servers, or a gateway with many clients behind it; `none` exempts nobody, not even this machine.':
    '不受限制的地址和网段，例如其他服务器，或者背后有很多客户端的网关；`none` 表示没有例外，本机也不例外。',
  // stream_caster
  'Makes a publish of a stream that comes in another way than RTMP. May stand several times.':
    '把不经 RTMP 进来的流变成推流。可以写多个。',
  'Run this caster.': '启用这个 caster。',
  'How streams come in: `flv` takes the body of a POST over HTTP, which may be FLV or MPEG-TS.':
    '流以什么方式进来：`flv` 接收 HTTP POST 的正文，可以是 FLV 或 MPEG-TS。',
  'Address of the caster.': 'caster 的监听地址。',
  'What is published, on this server: app and stream are those of the URL that was posted to, [vhost] is its host. The host is a vhost, or 127.0.0.1 for the default one.':
    '在本服务器上发布成什么流：app 和 stream 取自 POST 的 URL，[vhost] 是它的主机名。主机部分写 vhost，127.0.0.1 表示默认 vhost。',
  // workers
  'How the work is divided into processes.': '工作如何分配到各个进程。',
  '`multi` runs the parts of the server as processes of their own, `single` runs all of them in one process.':
    '`multi` 让服务器的各部分作为独立进程运行，`single` 让所有部分在一个进程中运行。',
  'Processes that own the directory of streams, pull from upstream servers and write the outputs.':
    '管理流目录、从上游服务器拉流并写各种输出的进程数。',
  'Processes that serve RTMP clients; `auto` is one for each processor core. More are started by a reload, and what is too many is drained.':
    '服务 RTMP 客户端的进程数；`auto` 表示每个处理器核心一个。重新加载时，增加的进程会启动，多余的会排空后结束。',
  'Processes that serve the API and HTTP; more or fewer by a reload, as `stream`.':
    '服务 API 和 HTTP 的进程数；和 `stream` 一样可以通过重新加载增减。',
  'How long a process that is taken away, or drained by `srs-cli`, waits for its clients to leave by themselves; the others are then dismissed.':
    '被减掉的进程，或被 `srs-cli` 排空的进程，等待客户端自行离开的时间；之后剩下的客户端会被断开。',
  // ring
  'The shared memory through which the processes hand on media.': '进程之间传递媒体数据的共享内存。',
  'Shared memory of a stream when it begins.': '一路流开始时的共享内存。',
  'Shared memory that one stream may grow to, so that its newest group of pictures fits.':
    '一路流的共享内存可以增长到的大小，使最新的一组画面（GOP）放得下。',
  'Shared memory of all streams together. It is address space: only what streams use is taken from the system.':
    '所有流的共享内存总和。这是地址空间：只有流实际使用的部分才占用系统内存。',
  // private_api
  'The API of each process, which `srs-cli` asks.': '每个进程的内部 API，由 `srs-cli` 访问。',
  "The master's address for the command line. The workers take the ports that follow. A port alone listens on 127.0.0.1 only.":
    'master 为命令行提供的地址。各 worker 使用其后的端口。只写端口时只监听 127.0.0.1。',
  // pithy_print
  'Milliseconds between two summary lines in the log, for all connections of one kind together.':
    '日志中两条汇总行之间的毫秒数，同一类连接合在一起计算。',
  'Publishers.': '推流。',
  'Players.': '播放。',
  'Forwarders.': '转发。',
  'Transcoders.': '转码。',
  'Ingesters.': '采集。',
  'HLS.': 'HLS。',
  'Edges.': '边缘。',
  // http_api
  'The HTTP management API.': 'HTTP 管理接口。',
  'Serve the management API.': '提供管理接口。',
  'Address of the API.': '管理接口的地址。',
  'Let web pages of other sites read the API. They are never let in with the credentials that a browser keeps.':
    '允许其他网站的页面读取接口。浏览器保存的登录信息永远不会被接受。',
  'Who may use the API.': '谁可以使用接口。',
  'Ask for a name and password, or a token. Without it what changes something is open to this machine only.':
    '要求用户名和密码，或者令牌。不启用时，会改变状态的调用只对本机开放。',
  'Of HTTP basic authentication.': '用于 HTTP basic 认证。',
  'Let in as well who sends `Authorization: Bearer` with this.': '携带此令牌的 `Authorization: Bearer` 请求同样放行。',
  'The API over TLS, beside the plain one.': '与明文接口并存的 TLS 接口。',
  'Serve the API over TLS too.': '同时通过 TLS 提供接口。',
  'Address for TLS.': 'TLS 地址。',
  'Private key, PEM.': '私钥，PEM 格式。',
  'Certificate, PEM, followed by those that it stands on.': '证书，PEM 格式，其后是它依赖的上级证书。',
  'The calls by GET that later SRS has. `POST /api/v1/reload` needs none of this.':
    '后续版本 SRS 的 GET 调用。`POST /api/v1/reload` 不需要它。',
  'Answer `/api/v1/raw`.': '响应 `/api/v1/raw`。',
  'Let `/api/v1/raw?rpc=reload` read the configuration again.': '允许 `/api/v1/raw?rpc=reload` 重新读取配置。',
  // http_stream
  'The embedded HTTP server.': '内置 HTTP 服务器。',
  'Serve files, HLS and HTTP streams.': '提供文件、HLS 和 HTTP 流。',
  'Address of the HTTP server.': 'HTTP 服务器的地址。',
  'Where the root directory has no `index.html`, show a page that lists the live streams and plays them, to everybody.':
    '根目录没有 `index.html` 时，向所有人显示一个列出并播放直播流的页面。',
  'Let web pages of other sites read files and streams.': '允许其他网站的页面读取文件和流。',
  'The HTTP server over TLS, beside the plain one.': '与明文服务并存的 TLS HTTP 服务器。',
  'Accept RTMP within TLS too.': '同时接受 TLS 中的 RTMP。',
  'RTMP over TLS, beside the plain one.': '基于 TLS 的 RTMP，与普通 RTMP 并存。',
  'Serve files and streams over TLS too.': '同时通过 TLS 提供文件和流。',
  'Root directory, used when no vhost mounts `/`.': '根目录，在没有 vhost 挂载 `/` 时使用。',
  // heartbeat
  'Tells an API server that this server is alive.': '通知 API 服务器本机仍然存活。',
  'POST the identity of this server to an API server at an interval.': '定时把本机的标识 POST 给 API 服务器。',
  'Time between two posts.': '两次上报之间的时间。',
  'Where to post. A query behind the path is not sent.': '上报地址。路径后面的查询参数不会发送。',
  'The identity that is sent.': '上报的标识。',
  'Send the object of `/api/v1/summaries` along.': '同时上报 `/api/v1/summaries` 的内容。',
  'Send the ports of RTMP, the API and the HTTP server along.': '同时上报 RTMP、API 和 HTTP 服务器的端口。',
  // stats
  'What the statistics of the system look at.': '系统统计的对象。',
  'Which local IPv4 address stands for this device in heartbeats and towards upstream servers: its index among the addresses of the interfaces, 127.0.0.1 not counted.':
    '在心跳和面对上游服务器时代表本机的 IPv4 地址：它在各网卡地址中的序号，127.0.0.1 不计。',
  'Devices whose figures in `/proc/diskstats` add up to how busy the disks are.':
    '统计磁盘繁忙程度时，`/proc/diskstats` 中要累加的设备。',
  // exporter
  'Metrics for Prometheus.': 'Prometheus 指标。',
  'Serve `/metrics` for Prometheus, here and on the port of the API.': '在此地址和 API 端口上为 Prometheus 提供 `/metrics`。',
  'Address of the metrics, of `/healthz` and of `/readyz`.': '指标以及 `/healthz` 和 `/readyz` 的地址。',
  'Label `label` of `srs_build_info`, to tell servers apart.': '`srs_build_info` 的标签 `label`，用于区分服务器。',
  'Label `tag` of `srs_build_info`.': '`srs_build_info` 的标签 `tag`。',
  'As many streams, those with the most players, have metrics of their own. Each name that ever was among them stays in the memory of Prometheus for a while.':
    '播放人数最多的这么多路流有各自的指标。每个曾经入选的流名都会在 Prometheus 的内存中保留一段时间。',
  // vhost
  'How the clients of one host name are served. The vhost `__defaultVhost__` serves those whose own is not configured.':
    '一个主机名下的客户端如何服务。没有配置自己 vhost 的客户端由 `__defaultVhost__` 服务。',
  'Streams that are not published here are looked for on other servers: those that share its `registry`, or its `coworkers`.':
    '本机没有发布的流，到其他服务器上查找：共用同一 `registry` 的服务器，或者 `coworkers`。',
  'Origin cluster: the Redis or Valkey server where all servers write down what is published on them.':
    '源站集群：Redis 或 Valkey 服务器，所有服务器在其中登记自己发布的流。',
  'Origin cluster: the HTTP APIs of the other servers, which are asked for streams where there is no `registry`. The default port is 1985. `http_api` must be enabled there, and has the same `auth` as here if it has any.':
    '源站集群：其他服务器的 HTTP API，没有 `registry` 时向它们查询流在哪里。默认端口是 1985。那些服务器上必须开启 `http_api`；如果设置了 `auth`，必须与本机相同。',
  'What the keys in the registry begin with. Only servers with the same one see each other.':
    '注册中心里键的前缀。只有前缀相同的服务器才能看到彼此。',
  'How long the registry names a server that renews nothing any more, such as one that has died. It renews three times as often.':
    '服务器不再续约（例如已经死掉）后，注册中心还会保留它多久。续约的间隔是它的三分之一。',
  'Origin cluster: what a viewer gets whose stream lives on another server. `pull` gets the stream from there, once for all viewers; `redirect` sends viewers over RTMP there, and gets it for all others.':
    '源站集群：观众要的流在另一台服务器上时怎么办。`pull` 从那里拉流，所有观众只拉一次；`redirect` 让 RTMP 观众转到那台服务器，其他观众仍然拉流。',
  'Origin cluster: where the others reach this server over RTMP; by default the address of `stats/network` and the first port of `listen`.':
    '源站集群：其他服务器通过 RTMP 访问本机的地址；默认是 `stats/network` 的地址和 `listen` 的第一个端口。',
  'Off refuses the clients of this vhost and disconnects those it has.': 'off 时拒绝该 vhost 的客户端，并断开已有的客户端。',
  'Chunk size of what the server sends to clients of this vhost; by default the global `chunk_size`.':
    '向该 vhost 的客户端发送时的 chunk 大小；默认使用全局的 `chunk_size`。',
  '`remote` makes the vhost an edge: streams come from, and go to, the servers of `origin`.':
    '`remote` 使该 vhost 成为边缘：流来自 `origin` 的服务器，也推往它们。',
  'Upstream servers of an edge, taken in turn; the default port is 1935, or as `cluster/protocol` says. An edge needs one.':
    '边缘的上游服务器，轮流使用；默认端口 1935，或由 `cluster/protocol` 决定。边缘必须有一个。',
  "Edge: ask the origin about each client's connect first, over RTMP.": '边缘：每个客户端连接时先通过 RTMP 询问源站。',
  'Edge: the name of the vhost at the origins; `[vhost]` stands for the name here. It goes along with what is got from there and what is pushed there.':
    '边缘：该 vhost 在源站的名称；`[vhost]` 代表此处的名称。从源站取流和向源站推流时都使用它。',
  'Edge: how streams are got from the origins. `flv` is HTTP-FLV, `flvs` the same over HTTPS: the port of `origin` is that of their HTTP server then, by default 8080 and 8088. What is published on the edge goes to the origins over RTMP, then to port 1935.':
    '边缘：从源站取流的协议。`flv` 为 HTTP-FLV，`flvs` 为 HTTPS 上的同一协议：此时 `origin` 的端口是源站 HTTP 服务器的端口，默认 8080 与 8088。发布到边缘的流仍经 RTMP 推往源站，此时用 1935 端口。',
  'Edge: get a stream in the protocol of the viewer. A stream is got once for viewers of all protocols, so `protocol` says how.':
    '边缘：按观众的协议取流。一条流只为所有协议的观众取一次，因此由 `protocol` 决定。',
  'How several servers work together: an edge and its origins, or origins among themselves. `mode`, `origin`, `token_traverse` and `debug_srs_upnode` may stand here too.':
    '多台服务器如何协作：边缘与源站，或源站之间。`mode`、`origin`、`token_traverse` 与 `debug_srs_upnode` 也可写在这里。',
  "Send this server's identity to upstream servers, so that a session can be followed over servers.":
    '把本机标识发给上游服务器，以便跨服务器追踪一个会话。',
  'Start new players at the last key frame, instead of with what comes next.':
    '新的播放者从最近的关键帧开始，而不是从接下来的数据开始。',
  'How much media may wait for a player, a forwarder or an edge push that is slow; more is cut to the newest key frame. Whole seconds.':
    '可以为较慢的播放者、转发或边缘推流积压多少媒体数据；超出时跳到最新的关键帧。整数秒。',
  'Correction of timestamps for players: `full` makes them start at 0 and grow, `zero` only makes them start at 0, `off` leaves them.':
    '为播放者校正时间戳：`full` 使其从 0 开始并递增，`zero` 只使其从 0 开始，`off` 不改动。',
  'Keep the absolute timestamps of the encoder.': '保留编码器的绝对时间戳。',
  'Turn `atc` on for a stream whose metadata has the text `bravo_atc` = `true`.':
    '流的元数据中有 `bravo_atc` = `true` 时，为该流打开 `atc`。',
  'Send every picture at once, as long as sending leaves a worker a quarter of its time. With many players sound goes along with the next picture, within 50 ms.':
    '只要发送还给 worker 留有四分之一的时间，每个画面都立即发送。播放者很多时，声音在 50 ms 内随下一个画面发送。',
  'Let the system send small pieces at once (TCP_NODELAY).': '让系统立即发送小块数据（TCP_NODELAY）。',
  'The acknowledgement window the server asks for, in bytes; by default the global `in_ack_size`.':
    '服务器要求的确认窗口，单位字节；默认使用全局的 `in_ack_size`。',
  'The acknowledgement window the server announces for its own output, in bytes; by default the global `out_ack_size`.':
    '服务器为自己的输出宣告的确认窗口，单位字节；默认使用全局的 `out_ack_size`。',
  'Domains whose pages may embed a player or publisher of this vhost.': '允许哪些域名的页面嵌入该 vhost 的播放器或推流器。',
  'The same, for publishers only.': '同上，只针对推流。',
  'The same, for players only.': '同上，只针对播放。',
  'Push every published stream to these destinations: servers, where it keeps its names (the default port is 1935), or URLs of streams.':
    '把每路推上来的流转推到这些目的地：服务器（流名不变，默认端口 1935），或流的 URL。',
  'The same as `forward` with values, as SRS 5 writes it. Both may stand in a vhost.':
    '与带值的 `forward` 相同，是 SRS 5 的写法。两种可以同时使用。',
  'Push published streams on as this block says.': '按本块的设置转推推上来的流。',
  'Where to, as the values of `forward`.': '转推到哪里，写法同 `forward` 的值。',
  'Ask here at each publish, as the hook `on_forward`, for more destinations of the stream: `{"code":0,"data":{"urls":["rtmp://..."]}}`.':
    '每次推流时向这里询问（回调 `on_forward`）该流的更多目的地：`{"code":0,"data":{"urls":["rtmp://..."]}}`。',
  // publish
  'How publishers are supervised.': '如何监管推流。',
  'What happens when a stream is published that has a publisher: `reject` refuses the new one, `replace` closes the old one.':
    '推一路已经有人在推的流时怎么办：`reject` 拒绝新的，`replace` 关闭旧的。',
  'A publisher is closed that sends no media for so long after it was accepted.': '推流被接受后这么长时间没有媒体数据就关闭。',
  'A publisher is closed that pauses for so long.': '推流停顿这么长时间就关闭。',
  'Accepted, without effect: input is always read in pieces as large as the system has.':
    '可以写但没有作用：输入总是按系统已有的数据尽量大块地读取。',
  'Accepted, without effect, as `mr`.': '可以写但没有作用，同 `mr`。',
  'Look into the sequence headers of video for size and profile.': '解析视频序列头，得到尺寸和 profile。',
  'Close a publisher nobody has watched for so long; 0 never does.': '这么长时间没有人观看的推流将被关闭；0 表示从不关闭。',
  // play
  'How players are served.': '如何服务播放者。',
  'The longest time media may be collected before it is sent to players in one piece. Less is chosen as long as sending is cheap; 0 is the same as `min_latency on`.':
    '媒体数据合并成一块发送给播放者之前最多收集的时间。只要发送开销小就会选更短的时间；0 等同于 `min_latency on`。',
  'Send when so many messages are collected.': '收集到这么多消息就发送。',
  'Most frames in the cache of one stream; 0 sets no limit. The cache is bounded by `ring` in any case.':
    '一路流的缓存最多保存的帧数；0 表示不限。缓存无论如何都受 `ring` 限制。',
  'Make timestamps grow over audio and video taken together.': '使音频和视频合在一起的时间戳递增。',
  'Send one message at a time, at least so far apart, for devices that cannot take several at once; 0 sends what there is. A player that has just come gets what it has missed at once.':
    '每次只发一条消息，并至少间隔这么久，用于不能一次接收多条消息的设备；0 表示有多少发多少。刚加入的播放者会立即得到它错过的数据。',
  'Send a sequence header that repeats the one before only once.': '与前一个相同的序列头只发一次。',
  // security
  'Which addresses may play and publish.': '哪些地址可以播放和推流。',
  'Look at the address of every client.': '检查每个客户端的地址。',
  'Who may `publish` and who may `play`: `all`, an IP address or a network. A client that no `allow` names is refused, and one that a `deny` names too; the order of the lines has no meaning.':
    '谁可以 `publish`（推流）、谁可以 `play`（播放）：`all`、一个 IP 地址或一个网段。没有 `allow` 提到的客户端被拒绝，`deny` 提到的也被拒绝；各行的顺序没有意义。',
  'Stream keys and signed addresses to publish.': '推流用的密钥和签名地址。',
  'Ask for a key or a signed address before a client may publish. At least one `key` or `secret` must be given.':
    '客户端推流之前要求密钥或签名地址。至少要有一个 `key` 或 `secret`。',
  'Whoever has one of these as `?key=KEY` in the URL may publish every stream of the vhost.':
    'URL 中带有其中一个 `?key=KEY` 的客户端可以推该 vhost 的任何流。',
  'Addresses signed with one of these, `?expires=UNIX&sign=HEX`, may publish one stream until they expire. Several make a change possible: add the new one, sign with it, and take the old one away later.':
    '用其中一个密钥签名的地址 `?expires=UNIX&sign=HEX` 在过期之前可以推一路流。可以写多个以便更换：先加入新的，用新的签名，之后再去掉旧的。',
  'Stream keys and signed addresses to play.': '播放用的密钥和签名地址。',
  'Ask for a key or a signed address before a client may play. At least one `key` or `secret` must be given.':
    '客户端播放之前要求密钥或签名地址。至少要有一个 `key` 或 `secret`。',
  'Whoever has one of these as `?key=KEY` in the URL may play every stream of the vhost.':
    'URL 中带有其中一个 `?key=KEY` 的客户端可以播放该 vhost 的任何流。',
  'Addresses signed with one of these, `?expires=UNIX&sign=HEX`, may play one stream until they expire. Several make a change possible: add the new one, sign with it, and take the old one away later.':
    '用其中一个密钥签名的地址 `?expires=UNIX&sign=HEX` 在过期之前可以播放一路流。可以写多个以便更换：先加入新的，用新的签名，之后再去掉旧的。',
  // http_hooks
  'HTTP callbacks, one or more URLs for each event.': 'HTTP 回调，每个事件可以有一个或多个 URL。',
  'Call the URLs below.': '调用下面的 URL。',
  'Called when a client connects, which it may refuse.': '客户端连接时调用，可以拒绝。',
  'Called when a client has gone.': '客户端离开后调用。',
  'Called when a client publishes, which it may refuse.': '客户端推流时调用，可以拒绝。',
  'Called when a publish has ended.': '推流结束后调用。',
  'Called when a client plays, which it may refuse.': '客户端播放时调用，可以拒绝。',
  'Called when a play has ended.': '播放结束后调用。',
  'Called when a recording is complete.': '一个录制文件完成后调用。',
  'Called when a segment of HLS is complete.': '一个 HLS 切片完成后调用。',
  'Called with GET when a segment of HLS is complete; [server_id] [app] [stream] [ts_url] [param] in the URL stand for those of the segment.':
    '一个 HLS 切片完成后以 GET 调用；URL 中的 [server_id] [app] [stream] [ts_url] [param] 替换为该切片的对应内容。',
  'How long each URL may take for its answer, while the client waits.': '每个 URL 最多用多久回答，期间客户端等待。',
  'How often on_close, on_unpublish, on_stop, on_dvr, on_hls and on_hls_notify are tried again, with growing pauses, at a URL that cannot be reached or is not able to answer.':
    'URL 无法连接或不能回答时，on_close、on_unpublish、on_stop、on_dvr、on_hls 和 on_hls_notify 重试的次数，间隔逐渐加长。',
  // hls
  'HLS output.': 'HLS 输出。',
  'Write HLS for every stream of the vhost.': '为该 vhost 的每路流写 HLS。',
  'Directory below which playlists and segments are written.': '播放列表和切片写到这个目录之下。',
  'Length a segment should have; whole seconds, a fraction is cut off.': '切片的期望长度；整数秒，小数部分舍去。',
  'How much the playlist lists; whole seconds, a fraction is cut off.': '播放列表包含的时长；整数秒，小数部分舍去。',
  'What media that does not fit into HLS does: `ignore` ends HLS for this publish, `disconnect` closes the publisher, `continue` skips the message where possible.':
    '遇到 HLS 放不下的媒体时怎么办：`ignore` 结束本次推流的 HLS，`disconnect` 关闭推流，`continue` 尽可能跳过该消息。',
  'The target duration in the playlist is `hls_fragment` times this, or the longest segment if that is longer.':
    '播放列表中的目标时长为 `hls_fragment` 乘以该值；若最长的切片更长，则取最长切片的时长。',
  'A segment that is longer than `hls_fragment` times this ends without waiting for a key frame.':
    '切片超过 `hls_fragment` 乘以该值时，不等关键帧就结束。',
  'Name of the playlist below `hls_path`, with the variables [vhost] [app] [stream].':
    '播放列表在 `hls_path` 之下的名称，可以使用变量 [vhost] [app] [stream]。',
  'Name of a segment below `hls_path`, with the variables [vhost] [app] [stream], [seq] (number in the playlist), [duration] and [timestamp] (milliseconds), and the time of its begin: [2006] year, [01] month, [02] day, [15] hour, [04] minute, [05] second, [999] millisecond.':
    '切片在 `hls_path` 之下的名称，可以使用变量 [vhost] [app] [stream]、[seq]（播放列表中的序号）、[duration] 和 [timestamp]（毫秒），以及开始时间：[2006] 年、[01] 月、[02] 日、[15] 时、[04] 分、[05] 秒、[999] 毫秒。',
  'Make [timestamp] in `hls_ts_file` the number of fragments since 1970, the time divided by `hls_fragment`, so that several servers name segments alike.':
    '`hls_ts_file` 中的 [timestamp] 改为自 1970 年以来的切片数，即时间除以 `hls_fragment`，使多台服务器的切片名称一致。',
  'Stands before the name of a segment in the playlist, for segments that another server delivers.':
    '播放列表中写在切片名称之前，用于由其他服务器分发切片。',
  '`an` leaves the audio out; the others have no effect, for segments announce what the stream has.':
    '`an` 去掉音频；其他值不起作用，切片声明的是流中实际有的编码。',
  '`vn` leaves the video out; the others have no effect, for segments announce what the stream has.':
    '`vn` 去掉视频；其他值不起作用，切片声明的是流中实际有的编码。',
  'Delete the segments that have left the playlist.': '删除已移出播放列表的切片。',
  'Delete playlist and segments when a stream has not been published for so long; 0 keeps them, in memory for two minutes. The end of the server removes no file, so that numbers go on when it starts again.':
    '流停止推送这么久之后删除播放列表和切片；0 表示保留，在内存中则保留两分钟。服务器退出时不删除文件，以便重启后序号接续。',
  'Cut at key frames; `off` cuts at any picture as soon as a segment is long enough.':
    '在关键帧处切分；`off` 表示切片够长时在任意一帧处切分。',
  'How much of an answer to `on_hls_notify` is read.': '读取 `on_hls_notify` 应答的最大长度。',
  'Accepted, without effect: segments always have the timestamps of the publisher.':
    '可以书写但不起作用：切片总是使用推流端的时间戳。',
  'Encrypt the segments with AES-128.': '用 AES-128 加密切片。',
  'As many segments are encrypted with one key.': '一个密钥加密这么多个切片。',
  'Name of a key below `hls_key_file_path`, with the variables of `hls_ts_file` but [duration].':
    '密钥在 `hls_key_file_path` 之下的名称，可以使用 `hls_ts_file` 除 [duration] 之外的变量。',
  'Directory of the keys. Whoever can read a key can read its segments.': '密钥所在的目录。能读取密钥的人就能读取对应的切片。',
  'Stands before the name of a key in the playlist, for keys that another server delivers.':
    '播放列表中写在密钥名称之前，用于由其他服务器分发密钥。',
  'Give each viewer a session, which the API lists and the hooks are told about: the first playlist is then one of playlists. `auto` does so where plays are told to hooks, or held to `security`, `refer`, `play_auth` or `players_per_ip`. The rules count in any case; `off` asks no hook.':
    '为每个观众建立会话，API 会列出它，回调也会得到通知；此时第一个播放列表是主播放列表。`auto` 仅在播放需要通知回调，或受 `security`、`refer`、`play_auth`、`players_per_ip` 约束时这样做。这些规则在任何情况下都有效；`off` 不询问回调。',
  'Name the session in the addresses of the segments too, so that their bytes are counted for it, and nobody else gets them.':
    '切片的地址也带上会话，使其字节数计入该会话，并且只有该会话能取得切片。',
  '`ts` makes segments of MPEG-TS, `fmp4` of fragmented MP4, `ll` low-latency HLS with parts of fragmented MP4, which is kept in memory.':
    '`ts` 生成 MPEG-TS 切片，`fmp4` 生成 fragmented MP4 切片，`ll` 生成由 fragmented MP4 片段组成的低延迟 HLS，保存在内存中。',
  'Where playlists and segments are kept. The words of SRS 2 are understood: `ram` for `memory`, `both` for `disk`.':
    '播放列表和切片存放在哪里。也接受 SRS 2 的写法：`ram` 即 `memory`，`both` 即 `disk`。',
  'Make segments whose cuts, numbers and bytes follow from the timestamps of the encoder alone, so that two servers that get the same stream can stand in for each other at any segment. Needs `atc on`, `hls_storage memory`, `hls_format ts`, `hls_ctx off`.':
    '切片的切点、编号和内容只由编码器的时间戳决定，因此接收同一路流的两台服务器可以在任意切片处互相替代。需要 `atc on`、`hls_storage memory`、`hls_format ts`、`hls_ctx off`。',
  'Length a part of low-latency HLS should have.': '低延迟 HLS 一个片段的期望长度。',
  // dvr
  'Recording to files.': '录制到文件。',
  'Record streams of the vhost.': '录制该 vhost 的流。',
  'A directory, whose files are named `[app]/[stream].[timestamp].flv`; or the path of the files, which ends in `.flv` or `.mp4` and may have the variables [vhost] [app] [stream], [timestamp] (of the begin, in milliseconds), and parts of that time: [2006] year, [01] month, [02] day, [15] hour, [04] minute, [05] second, [999] millisecond.':
    '一个目录，其中的文件名为 `[app]/[stream].[timestamp].flv`；或者文件的路径，以 `.flv` 或 `.mp4` 结尾，可以使用变量 [vhost] [app] [stream]、[timestamp]（开始时间，毫秒），以及该时间的各部分：[2006] 年、[01] 月、[02] 日、[15] 时、[04] 分、[05] 秒、[999] 毫秒。',
  '`session` writes one file for each publish, `segment` a new file after each `dvr_duration`, `append` goes on with the file that is there.':
    '`session` 每次推流写一个文件，`segment` 每隔 `dvr_duration` 写一个新文件，`append` 接着已有的文件写。',
  'Length of a file of the plan `segment`.': '`segment` 计划中一个文件的长度。',
  'Plan `segment`: cut at key frames only.': '`segment` 计划：只在关键帧处切分。',
  'Correction of timestamps before they are recorded.': '录制之前校正时间戳。',
  'The streams that are recorded.': '要录制的流。',
  'Recordings older than this are deleted; 0 keeps them for ever.': '删除比这更早的录制文件；0 表示永久保留。',
  'The oldest recordings are deleted while the file system is fuller than this; 0 deletes none.':
    '文件系统的占用超过该比例时，删除最早的录制文件；0 表示不删除。',
  'Recordings in an object store that speaks S3.': '把录制文件存入支持 S3 协议的对象存储。',
  'Copy each complete recording to an object store.': '把每个完成的录制文件复制到对象存储。',
  'Address of the object store.': '对象存储的地址。',
  'Region for the signature.': '签名使用的区域。',
  'Bucket the recordings go to.': '存放录制文件的存储桶。',
  'Stands before the name of a recording in the bucket.': '写在存储桶中录制文件名称之前。',
  'Access key of the object store.': '对象存储的访问密钥 ID。',
  'Secret key that goes with it.': '与之配套的密钥。',
  'Delete the local file when it has been copied.': '复制完成后删除本地文件。',
  // http, http_remux
  'Files of this vhost in the HTTP server.': '该 vhost 在 HTTP 服务器中的文件。',
  'Mount a directory in the HTTP server.': '在 HTTP 服务器中挂载一个目录。',
  'The first part of the URL path; [vhost] before it serves requests for the host of that name only.':
    'URL 路径的开头部分；前面写 [vhost] 时，只响应对该主机名的请求。',
  'The directory that is mounted.': '被挂载的目录。',
  'Live streams over HTTP: FLV, MPEG-TS, AAC and MP3.': '通过 HTTP 的直播流：FLV、MPEG-TS、AAC 和 MP3。',
  'Serve live streams over HTTP.': '通过 HTTP 提供直播流。',
  'URL of a stream, with the variables [vhost] [app] [stream]; the ending chooses the format: one that ends in `.flv` is also for `.ts`, `.aac` and `.mp3`, one of another ending for that alone.':
    '流的 URL，可以使用变量 [vhost] [app] [stream]；扩展名决定格式：以 `.flv` 结尾时也提供 `.ts`、`.aac` 和 `.mp3`，其他扩展名只提供该格式。',
  'Seconds of audio that a listener of `.aac` or `.mp3` gets at once, at most `queue_length` and what the ring of the stream holds.':
    '`.aac` 或 `.mp3` 的听众起播时立即得到的音频秒数，不超过 `queue_length`，也不超过流的环形缓冲所保存的内容。',
  'Send audio.': '发送音频。',
  'Send video.': '发送视频。',
  'Let the header of a stream tell of audio and video what the stream has, instead of `has_audio` and `has_video`.':
    '流头部按流实际包含的音频和视频填写，而不是按 `has_audio` 和 `has_video`。',
  'Leave out audio and video that the header has not told of.': '丢弃流头部没有声明的音频和视频。',
  'Accepted, without effect: an edge always gets a stream when a viewer asks for it.':
    '接受但不起作用：边缘总是在观众请求时拉流。',
  // ingest
  'Publishes a file or a stream with ffmpeg.': '用 ffmpeg 把文件或流推上来。',
  'Run this ingest.': '运行这个采集。',
  'What is read.': '读取什么。',
  '`file` is read at its natural speed and in a loop; `stream` is any URL ffmpeg can open.':
    '`file` 按正常速度循环读取；`stream` 是 ffmpeg 能打开的任何 URL。',
  'Path or URL of the input.': '输入的路径或 URL。',
  'Path of ffmpeg.': 'ffmpeg 的路径。',
  'How the input is encoded; without one the streams are copied. One process for each.':
    '输入如何编码；没有时直接复制各路流。每个引擎一个进程。',
  'Run this engine.': '运行这个引擎。',
  // engine
  'Format of the input, or `off` to let ffmpeg find out.': '输入的格式，`off` 表示由 ffmpeg 判断。',
  'Each child `name value;` becomes `-name value` after the input.': '每个子项 `name value;` 变成输入之后的 `-name value`。',
  '`libx264`, `copy`, or `vn` for no video.': '`libx264`、`copy`，或 `vn` 表示没有视频。',
  'Video bitrate in kbps.': '视频码率，kbps。',
  'Frames per second.': '每秒帧数。',
  'Width in pixels, rounded down to an even number.': '宽度，像素，向下取偶数。',
  'Height in pixels, rounded down to an even number.': '高度，像素，向下取偶数。',
  'Threads of the video encoder.': '视频编码器的线程数。',
  'Profile of the video encoder.': '视频编码器的 profile。',
  'Preset of the video encoder.': '视频编码器的 preset。',
  'More video parameters, as in `vfilter`.': '更多视频参数，写法同 `vfilter`。',
  'An AAC encoder, `copy`, or `an` for no audio.': '一个 AAC 编码器、`copy`，或 `an` 表示没有音频。',
  'Audio bitrate in kbps.': '音频码率，kbps。',
  'Audio samples per second.': '音频采样率。',
  'Audio channels, 1 or 2.': '音频声道数，1 或 2。',
  'More audio parameters, as in `vfilter`.': '更多音频参数，写法同 `vfilter`。',
  'Format of the output, or `off` to let ffmpeg choose.': '输出的格式，`off` 表示由 ffmpeg 选择。',
  'URL of the output, with the variables [vhost] [port] [app] [stream] [engine]; for ingest [vhost] and [port] only.':
    '输出的 URL，可以使用变量 [vhost] [port] [app] [stream] [engine]；采集只能用 [vhost] 和 [port]。',
  // transcode
  'Encodes published streams again with ffmpeg: all streams of the vhost, those of an app, or one (`app/stream`).':
    '用 ffmpeg 对推上来的流重新编码：vhost 的所有流、某个 app 的流，或一路流（`app/stream`）。',
  'Transcode.': '转码。',
  'One encoding of the stream; one process for each.': '流的一种编码；每种一个进程。',
  // bandcheck
  'Bandwidth tests by the client.': '客户端带宽测试。',
  'Serve bandwidth tests on this vhost, and nothing else.': '该 vhost 提供带宽测试，且只提供带宽测试。',
  'Must stand as `key=TEXT` in the URL of the client.': '客户端的 URL 中必须有 `key=TEXT`。',
  'Least time between two tests of the whole server.': '整个服务器两次测试之间的最短时间。',
  'Greatest rate of a test.': '测试的最大速率。',
};

/** What directives accept, in words. Lists of words and ranges of numbers stand for themselves in any language. */
export const chineseValues: Readonly<Record<string, string>> = {
  text: '文本',
  'a path': '路径',
  'one or more words': '一个或多个词',
  'one or more of: a port (1..65535), ip:port or [ipv6]:port': '一个或多个：端口（1..65535）、ip:port 或 [ipv6]:port',
  'a port (1..65535), ip:port or [ipv6]:port': '端口（1..65535）、ip:port 或 [ipv6]:port',
  'one or more of: host, host:port or [ipv6]:port': '一个或多个：host、host:port 或 [ipv6]:port',
  'one or more of: host, host:port, [ipv6]:port, or rtmp://host[:port]/app/stream, the same with rtmps, with the variables [vhost] [app] [stream] [param]':
    '一个或多个：host、host:port、[ipv6]:port，或 rtmp://host[:port]/app/stream，也可用 rtmps，可用变量 [vhost] [app] [stream] [param]',
  'IP addresses or networks (10.0.0.0/8), or none': 'IP 地址或网段（10.0.0.0/8），或 none',
  'an http:// or https:// URL': 'http:// 或 https:// 的 URL',
  'one or more http:// or https:// URLs': '一个或多个 http:// 或 https:// 的 URL',
  'play or publish, then all, an IP address or a network (10.0.0.0/8)':
    'play 或 publish，然后是 all、IP 地址或网段（10.0.0.0/8）',
  'rtmp://HOST[:PORT]/APP/STREAM, with the variables [vhost] [app] [stream]':
    'rtmp://HOST[:PORT]/APP/STREAM，可用变量 [vhost] [app] [stream]',
  'a path that begins with /, or with [vhost]': '以 / 或 [vhost] 开头的路径',
  'a path that begins with / or [vhost], has [stream], and ends in .flv, .ts, .aac or .mp3':
    '以 / 或 [vhost] 开头、含有 [stream]、以 .flv、.ts、.aac 或 .mp3 结尾的路径',
  'a relative path without .., with [vhost] [app] [stream]': '不含 .. 的相对路径，可以使用 [vhost] [app] [stream]',
  'a relative path without .., with [seq] or [timestamp] or [15] [04] [05]':
    '不含 .. 的相对路径，含有 [seq]、[timestamp] 或 [15] [04] [05]',
  'a name of at most 253 letters, digits or other signs without blanks, /, ? and &; [vhost] may be a part of it':
    '最多 253 个字母、数字或其他字符的名称，不含空白、/、? 与 &；可含 [vhost]',
  'a directory, or a path that ends in .flv or .mp4': '目录，或以 .flv 或 .mp4 结尾的路径',
  'all, or one or more of: app/stream': 'all，或一个或多个 app/stream',
  '3..63 small letters, digits, dots and dashes': '3..63 个小写字母、数字、点和减号',
  'redis://[[user]:password@]host[:port][/database], or the same with rediss for TLS':
    'redis://[[user]:password@]host[:port][/database]，TLS 用 rediss',
  '1..64 letters, digits and . _ - : { }': '1..64 个字母、数字和 . _ - : { }',
  'host, host:port or [ipv6]:port': 'host、host:port 或 [ipv6]:port',
  'a block of name value; pairs': '由 name value; 组成的块',
};

/** Parts of what directives accept that stand beside numbers. */
export const chineseUnits: readonly (readonly [RegExp, string])[] = [
  [/^(\S+) words of (\S+) letters, digits, _ and -$/, '$1 个词，每个由 $2 个字母、数字、_ 和 - 组成'],
  [/\(bytes, or with the unit k, m or g\)/, '（字节，或带单位 k、m、g）'],
  [/^(\S+) or more bytes$/, '$1 字节或更大'],
  [/^(\S+) or more\b/, '$1 或更大'],
  [/ bytes$/, ' 字节'],
  [/ percent$/, '%'],
];
