export default {
  title: '系统管理',
  save: '保存',
  more: '显示更多',
  count: '共 {n} 项',
  area: {
    people: '人员与角色', directory: '派单目录', categories: '事项分类', queues: '队列与技能', thresholds: '阈值', calendar: '工作日历',
    knowledge: '知识库', models: '模型', security: '安全策略', access: '权限表', audit: '审计',
  },
  role: {
    agent: '坐席', supervisor: '班长', department: '承办单位', system_admin: '系统管理员', security_admin: '安全管理员', audit_admin: '审计管理员',
  },
  standing: { proposed: '待授权', locked: '已停用', failures: '输错锁定', active: '正常' },
  people: {
    search: '姓名、账号或单位', allRoles: '全部角色', add: '新建人员', name: '姓名', role: '角色', standing: '状态', factor: '动态验证码', seen: '最近登录',
    noteSystem: '系统管理员新建账号并提出角色，由安全管理员授权后才能登录。',
    noteSecurity: '安全管理员授予角色、重置密码、停用账号并结束登录；不能更改自己的权限。每一步都记入审计。',
    sessions: '{n} 处登录', bound: '已绑定', unbound: '未绑定', never: '未登录，{day} 新建', choose: '选择一个人，查看并处理',
    login: '账号名', shown: '显示姓名', department: '承办单位', propose: '提交', proposed: '已新建，等待安全管理员授权',
  },
  person: {
    reason: '请填写理由（记入审计）', reasonNeeded: '请填写理由', granted: '已授权', changed: '已保存', reset: '已重置密码', until: '至 {time}',
    passwordSince: '密码设置于', mustChange: '须修改', own: '这是您自己的账号，须由另一位安全管理员处理。', grantNew: '授予角色，允许登录', grantOther: '更改角色（其登录将结束）',
    grant: '授权', lock: '停用账号', unlock: '恢复账号', lift: '解除输错锁定', resetPassword: '重置密码', resetFactor: '重置动态验证码',
    given: '新密码只显示这一次，首次登录后须修改：', phone: '话机', skills: '技能', skillsHint: '话机必填；技能如 general=1, enterprise=3，1 最好，5 最低', waits: '等待安全管理员授权。',
    phoneExample: 'PJSIP/101', skillsExample: 'general=1, enterprise=3',
    sessions: '登录情况', noSessions: '没有登录', endAll: '结束全部登录', ended: '已结束 {n} 处登录，工作台随即断开',
  },
  figures: {
    note: '时限与窗口在城市目录的 city.toml 设置，流量在 hotline.toml 设置；智能分类的阈值随模型训练得出。',
    noteSecurity: '在 hotline.toml 设置，重启服务后生效。',
  },
  categories: { search: '代码、事项或单位', code: '代码', l1: '一级', l2: '二级', leads: '主办单位', nobody: '未设置' },
  access: { search: '路径', note: '服务按此表逐一核对每个请求；表中没有的一律拒绝。三类管理员互不兼任，均不能查看工单。', what: '接口', door: '入口', may: '可以' },
  door: { public: '公开', credential: '系统凭证', own: '本人账号', staff: '工作人员', console: '工作台' },
  audit: {
    records: '操作记录', commands: '工单操作', actor: '操作人（角色:账号）', act: '操作', subject: '对象', number: '工单号', result: '结果', all: '全部结果', ok: '成功',
    refused: '登录失败', forbidden: '无权', find: '查询', at: '时间', who: '操作人', what: '操作', detail: '说明',
    size: '已链接 {rows} 条，{links} 节；待链接 {waiting} 条', verify: '校验完整性', whole: '完整，未被改动', unchecked: '尚未校验', broken: '记录被改动：',
  },
  act: {
    login: '登录', login_sso: '统一认证登录', logout: '退出', person_propose: '新建人员', person_rename: '修改姓名', person_grant: '授权', person_lock: '停用账号',
    person_unlock: '恢复账号', person_reset_password: '重置密码', person_reset_second_factor: '重置动态验证码', person_end_sessions: '结束登录',
    account_password: '修改密码', account_second_factor: '绑定动态验证码', account_second_factor_removed: '解除动态验证码', account_recovery_codes: '重新生成恢复码',
    calendar_set: '设置日历', queues_set: '设置队列', audit_read: '查看审计', audit_commands: '查看工单操作', audit_verify: '校验审计', audit_export: '导出审计',
    ticket_unmask: '查看完整信息', person_search: '查找个人',
  },
  calendar: {
    announced: '国务院安排已公布', unknown: '安排尚未公布', before: '上一年', after: '下一年', import: '导入', saved: '已保存，新的时限按此计算', own: '本市设置', month: '{n} 月',
    note: '法定节假日与调休；由系统管理员设置。', noteSet: '点日期可改为休息或上班，保存后新的时限按此计算；已有时限不变。',
    holiday: '放假', makeUp: '调休上班', rest: '周末', work: '上班', format: '每行一天：日期,休或班,名称', example: '{year}-02-08,休,春节', take: '采用', wrong: '第 {lines} 行有误',
  },
  models: {
    present: '使用中', previous: '上一版', shadow: '影子模型', shadowTitle: '影子对比', noShadow: '没有影子模型的记录。设置 shadow_dir 后，影子模型与现用模型一起判断但不作决定。',
    texts: '共同判断', same: '事项相同', sameVerdict: '紧急判断相同', dispatched: '自动派单 现用/影子', alarms: '仅一方判紧急 现用/影子', judged: '{n} 件经人确认，正确率 现用/影子', card: '模型说明',
  },
  directory: {
    import: '导入新版本', version: '版本', from: '生效日期', rules: '规则', author: '来源', files: '城市文件', changes: '{n} 处变化', diff: '版本差异', older: '对比版本', choose: '选择要对比的版本',
    same: '两个版本相同', andMore: '另有 {n} 处', withdraw: '撤回', withdrawn: '已撤回', sure: '撤回尚未生效的版本 {version}？', inForce: '生效中', future: '待生效', past: '已过期',
    file: '文件（CSV 或 XLSX）', note: '说明', preview: '预览变化', keep: '保存新版本', made: '新版本已保存',
  },
  how: { added: '新增', removed: '删除', changed: '修改' },
  cell: { lead: '主办单位', assisting: '协办单位', town: '镇街', kind: '诉求类型', l1: '一级', l2: '二级', note: '备注', basis: '依据', legal_basis: '法律依据', phone: '电话' },
  queues: {
    note: '每个队列从第几秒起可由哪项技能（1 最好，5 最低）的坐席接听；保存后一秒内生效。', new: '新队列代号', add: '添加', saved: '队列已生效', default: '默认', lines: '号码 {lines}',
    after: '从第几秒起', seconds: '秒起', skill: '技能', level: '最低等级', remove: '删除这一步', step: '＋ 增加一步', most: '最多等待', any: '不限', agents: '坐席技能', noAgents: '还没有坐席登记话机',
  },
  knowledge: {
    write: '撰写文章', title: '标题', review: '复核日期', changed: '最近修改', publish: '发布', reviewed: '已复核', withdraw: '下架', choose: '选择一篇文章', done: '已保存', body: '正文',
    keywords: '关键词', source: '依据', draft: '保存草稿',
  },
  article: { all: '全部', published: '已发布', draft: '草稿', withdrawn: '已下架', overdue: '待复核' },
}
