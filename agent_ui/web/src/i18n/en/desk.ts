export default {
  title: 'Department desk',
}
