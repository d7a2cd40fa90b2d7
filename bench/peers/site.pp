# Puppet: resources that notify each other.
$src = '/root/src'
$unit = 'mcp-oauth-proxy'

file {
  default:
    owner => 'root', group => 'root', mode => '0644';
  '/etc/mcp-oauth-proxy':
    ensure => directory, mode => '0700';
  '/usr/local/lib/mcp-oauth-proxy':
    ensure => directory, mode => '0755';
  '/usr/local/lib/mcp-oauth-proxy/oauth_proxy.py':
    source => "${src}/oauth_proxy.py", notify => Service["${unit}.service"];
  "/etc/systemd/system/${unit}.service":
    source => "${src}/${unit}.service", notify => [Service["${unit}.socket"], Service["${unit}.service"]];
  "/etc/systemd/system/${unit}.socket":
    source => "${src}/${unit}.socket", notify => [Service["${unit}.socket"], Service["${unit}.service"]];
  "/etc/nginx/snippets/${unit}.conf":
    source => "${src}/snippet.conf", notify => Exec['check'];
  "/etc/nginx/conf.d/${unit}.conf":
    source => "${src}/http.conf", notify => Exec['check'];
  "/etc/nginx/sites-available/${unit}.conf":
    source => "${src}/site.conf", notify => Exec['check'];
  "/etc/nginx/sites-enabled/${unit}.conf":
    ensure => link, target => "/etc/nginx/sites-available/${unit}.conf", notify => Exec['check'];
}

exec { 'secrets':
  command => "/bin/sh ${src}/secrets.sh",
  creates => '/etc/mcp-oauth-proxy/.env',
  require => File['/etc/mcp-oauth-proxy'],
  notify  => Service["${unit}.service"],
}

file { '/etc/mcp-oauth-proxy/.env':
  owner   => 'root',
  group   => 'root',
  mode    => '0600',
  require => Exec['secrets'],
}

service { 'nginx.service':
  ensure => running,
}

service { "${unit}.socket":
  ensure  => running,
  enable  => true,
  restart => "/usr/bin/systemctl stop ${unit}.service && /usr/bin/systemctl restart ${unit}.socket",
}

service { "${unit}.service":
  ensure  => running,
  enable  => true,
  require => [Service["${unit}.socket"], Exec['secrets']],
}

exec { 'check':
  command     => '/usr/sbin/nginx -t -q',
  refreshonly => true,
  notify      => Exec['reload'],
}

exec { 'reload':
  command     => '/usr/bin/systemctl reload nginx.service',
  refreshonly => true,
}
