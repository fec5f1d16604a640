export default {
  title: '系统管理',
}
